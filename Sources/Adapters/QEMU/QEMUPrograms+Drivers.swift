import Platform

extension QEMUPrograms {
    /// Whether QEMU has its driver for images of Ceph pools; nil when there is no QEMU to ask.
    ///
    /// Distributions ship it as a package of its own. It is asked to open an image without a cluster: only one with the driver
    /// gets as far as to miss the configuration.
    package func opensCephImages() async -> Bool? {
        guard let tool = await findAll().first(where: { $0.program == .image })?.path else { return nil }
        let image = "driver=rbd,pool=none,image=none,conf=/nonexistent/ceph.conf"
        let spawn = Spawn(tool, ["info", "--image-opts", image])
        guard let done = try? await ChildProcess.run(spawn, timeout: .seconds(10)) else { return nil }
        return !done.errorsText.contains("Unknown driver")
    }
}
