import Logging
import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

@Suite("Lines that peers cause")
struct PeerLogTests {
  // R-LIM-14
  @Test("So many come at once and one each second, and the next one says how many were left out")
  func allowance() {
    let (capture, counters) = (LogCapture(), EventCounters())
    let start = NIODeadline.uptimeNanoseconds(1)
    let log = PeerLog(counters: counters, now: start)
    func write(_ count: Int, at now: NIODeadline, _ subject: PeerLog.Subject = .refusal) {
      for _ in 0..<count { log.log(subject, .info, "x", to: capture.logger, now: now) }
    }
    write(1_000, at: start)
    #expect(capture.all.count == PeerLog.burst)
    #expect(counters.all.logLinesHeldBack == UInt64(1_000 - PeerLog.burst))
    write(5, at: start + .seconds(1))
    #expect(capture.all.count == PeerLog.burst + 1)
    #expect(capture.all.last?.text.contains("left_out_before=\(1_000 - PeerLog.burst)") == true)
    // Other kinds have allowances of their own.
    write(1, at: start + .seconds(1), .connectionEnd)
    #expect(capture.all.count == PeerLog.burst + 2)
    write(1, at: start + .seconds(1_000))
    #expect(capture.all.last?.text.contains("left_out_before=4") == true)
  }

  @Test("Lines for those who look for a fault are not counted, and lines that nobody wants cost nothing")
  func otherLevels() {
    let (capture, counters) = (LogCapture(), EventCounters())
    let start = NIODeadline.uptimeNanoseconds(1)
    let log = PeerLog(counters: counters, now: start)
    for _ in 0..<1_000 { log.log(.refusal, .debug, "x", to: capture.logger, now: start) }
    #expect(capture.all.count == 1_000)
    var quiet = capture.logger
    quiet.logLevel = .error
    for _ in 0..<1_000 { log.log(.refusal, .info, "x", to: quiet, now: start) }
    #expect(counters.all.logLinesHeldBack == 0)
    log.log(.refusal, .info, "y", to: capture.logger, now: start)
    #expect(capture.contains("y"))
  }

  @Test("A peer that breaks the protocol again and again is counted each time and fills no log")
  func flood() async throws {
    let capture = LogCapture()
    let server = try await listen("b", logger: capture.logger)
    try await closing(server) {
      for _ in 1...150 {
        let stranger = try await RawPeer.connect(to: server.localAddress)
        await stranger.send(Array("GET / HTTP/1.1\r\n\r\n".utf8))
        _ = await stranger.remainingBytes()
        await stranger.close()
      }
      try await eventually("all are counted") {
        await server.statistics().events.violations.values.reduce(0, +) == 150
      }
      let events = await server.statistics().events
      #expect(events.accepted == 150)
      #expect(events.established == 0)
      let lines = capture.all.count { $0.level >= .info }
      #expect(lines + Int(events.logLinesHeldBack) == 150, "\(lines) lines, \(events)")
      // One more for each second that this took, however slow the machine is.
      #expect(events.logLinesHeldBack > 0 && lines < 150)
    }
  }
}
