import Foundation
import Glibc

/// The streams of one child, while it is being started and while it runs.
///
/// Holds our ends of the pipes; the child's ends are closed once it is launched, so that we see theirs close.
struct ChildPipes {
    /// Our end of the child's standard input; nil without a pipe or once closed.
    var input: Int32?
    var output: Int32?
    var errors: Int32?
    /// What becomes the child's descriptors 0, 1 and 2.
    private var childEnds: [Int32] = []

    init(_ spawn: Spawn) throws(PlatformFault) {
        do {
            switch spawn.input {
            case .none:
                childEnds.append(try Descriptor.open("/dev/null", O_RDONLY).release())
            case .data, .pipe:
                let (reading, writing) = try makePipe()
                setNonBlocking(writing)
                childEnds.append(reading)
                input = writing
            }
            output = try addOutput(spawn.output)
            errors = try addOutput(spawn.errors)
        } catch {
            close()
            throw error
        }
    }

    /// Starts the program with these streams.
    mutating func launch(_ spawn: Spawn) throws(PlatformFault) -> pid_t {
        defer { closeChildEnds() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in childEnds.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // Libraries open descriptors too, and not all are close-on-exec (epoll instances, for one).
        guard LibraryFunctions.addCloseFrom?(&actions, 3) == 0 else {
            throw .system("this C library cannot start programs safely", errno: ENOSYS)
        }
        if let directory = spawn.workingDirectory {
            guard LibraryFunctions.addChangeDirectory?(&actions, directory) == 0 else {
                throw .system("this C library cannot start programs in \(directory)", errno: ENOSYS)
            }
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        if spawn.newSession { flags |= LibraryFunctions.spawnInNewSession }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let words = spawn.commandLine
        var pid: pid_t = 0
        let result = withCStrings(words) { arguments in
            withCStrings(spawn.environment.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawnp(&pid, words[0], &actions, &attributes, arguments, environment)
            }
        }
        guard result == 0 else { throw .system("cannot start \(words[0])", errno: result) }
        return pid
    }

    mutating func close() {
        closeChildEnds()
        for descriptor in [input, output, errors] {
            if let descriptor { _ = Glibc.close(descriptor) }
        }
        (input, output, errors) = (nil, nil, nil)
    }

    private mutating func closeChildEnds() {
        for descriptor in childEnds { _ = Glibc.close(descriptor) }
        childEnds = []
    }

    private mutating func addOutput(_ target: Spawn.Output) throws(PlatformFault) -> Int32? {
        switch target {
        case .discard:
            childEnds.append(try Descriptor.open("/dev/null", O_WRONLY).release())
            return nil
        case .file(let path):
            childEnds.append(try Descriptor.open(path, O_WRONLY | O_CREAT | O_APPEND).release())
            return nil
        case .capture, .lines:
            let (reading, writing) = try makePipe()
            setNonBlocking(reading)
            childEnds.append(writing)
            return reading
        }
    }
}

/// Lends the strings as a C array that ends with a null pointer.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}
