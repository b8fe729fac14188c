import Testing

@testable import ConformanceSuite

@Suite("The conformance suite's look at frames")
struct FrameAuditorTests {
  @Test("bears whatever id a peer takes", arguments: [UInt64.max, UInt64.max - 1])
  func largestIDs(stream: UInt64) {
    var auditor = FrameAuditor(subject: .client, hostsSeveralGroups: false)
    for id in [stream, stream, 1] { auditor.received(.open(id, StreamClass.append), checksum: nil) }
    #expect(auditor.finding != nil)
  }
}
