import HTTPTypes
import Hummingbird

/// What those who operate the service ask of it: `/healthz`, `/readyz`, `/metrics`.
///
/// They need no credentials and say nothing about anybody's resources.
struct ServiceRoutes {
    let configuration: HTTPConfiguration
    let counters: RequestCounters

    func add(to router: Router<IncomingContext>) {
        for method in [HTTPRequest.Method.get, .head] {
            router.on("/healthz", method: method) { _, _ in
                Response.text("ok\n")
            }
            router.on("/readyz", method: method) { [configuration] _, _ in
                let troubles = await configuration.troubles()
                guard !troubles.isEmpty else {
                    return Response.text("ready\n" + (await configuration.warnings()).map { "\($0)\n" }.joined())
                }
                return Response.text(troubles.map { "\($0)\n" }.joined(), status: .serviceUnavailable)
            }
        }
        router.get("/metrics") { [configuration, counters] _, _ in
            let text = counters.text() + PrometheusText.gauges(await configuration.gauges())
            return Response.text(text, type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
