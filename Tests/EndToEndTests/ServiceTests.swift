import Testing

/// The shipped binary as service and as client, with a real machine: as a person or a script would use it.
///
/// One after the other: all use the machine `web01`, and some end the service.
@Suite(
    "the program with a running service",
    .serialized,
    .enabled(if: DemoGuest.isThere, DemoGuest.reason),
    .withService
)
struct ServiceTests {}
