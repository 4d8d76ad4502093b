import Testing

@testable import CommandLine

@Suite("progress")
struct ProgressLineTests {
    private func line() -> ProgressLine {
        var line = ProgressLine(label: "Verifying a", elapsedSeconds: 3)
        line.doneBytes = 512 << 20
        line.totalBytes = 2 << 30
        line.bytesPerSecond = 100 << 20
        line.remainingSeconds = 15
        return line
    }

    @Test("the bar shows part, bytes, rate and what remains")
    func bar() {
        #expect(
            line().text(width: 120)
                == "Verifying a  [########........................]  25 %  512 MiB of 2 GiB  100 MiB/s  15 s left"
        )
    }

    @Test("a narrow terminal never gets a longer line", arguments: 5...120)
    func widths(_ width: Int) {
        #expect(TextWidth.of(line().text(width: width)) < width)
        #expect(TextWidth.of(ProgressLine(label: "Waiting", elapsedSeconds: 1).text(width: width)) < width)
    }

    @Test("without an amount there is the time, and the place in the queue")
    func queue() {
        var line = ProgressLine(label: "Reverting", elapsedSeconds: 1.5)
        #expect(line.text(width: 80) == "Reverting  1.5 s")
        line.queuePosition = 2
        #expect(line.text(width: 80) == "Reverting  waiting behind 2  1.5 s")
    }

    @Test("numbers that make no sense make no bar of more than the whole")
    func nonsense() {
        var line = line()
        line.doneBytes = 9 << 30
        #expect(line.text(width: 120).contains("100 %"))
        line.totalBytes = nil
        #expect(line.text(width: 120) == "Verifying a  3.0 s")
    }

    @Test("where the whole is not known, there is what came and how fast")
    func unknownTotal() {
        var line = ProgressLine(label: "Importing a", elapsedSeconds: 3)
        line.doneBytes = 3 << 20
        line.totalBytes = 0
        #expect(line.text(width: 80) == "Importing a  3 MiB  3.0 s")
        line.bytesPerSecond = 1 << 20
        #expect(line.text(width: 80) == "Importing a  3 MiB  1 MiB/s  3.0 s")
        line.doneBytes = 0
        #expect(line.text(width: 80) == "Importing a  3.0 s")
    }

    @Test("it is drawn over itself on a terminal, taken away at the end, and not there for scripts")
    func display() {
        var terminal = TerminalFacts.none
        terminal.isError = true
        let (watched, _, shown) = Surroundings.ofTest(terminal: terminal)
        var display = ProgressDisplay(watched)
        display.show(ProgressLine(label: "A", elapsedSeconds: 0.1))
        #expect(shown.text.isEmpty)
        display.show(ProgressLine(label: "A", elapsedSeconds: 1))
        display.clear()
        #expect(shown.text == "\rA  1.0 s\u{1B}[K\r\u{1B}[K")
        let (script, _, silent) = Surroundings.ofTest()
        var hidden = ProgressDisplay(script)
        hidden.show(ProgressLine(label: "A", elapsedSeconds: 9))
        hidden.clear()
        #expect(silent.text.isEmpty)
    }

    @Test("the first questions come fast, later ones four times a second")
    func schedule() {
        let pauses = Array(PollSchedule().prefix(6))
        #expect(pauses == [20, 40, 80, 160, 250, 250].map { Duration.milliseconds($0) })
    }
}
