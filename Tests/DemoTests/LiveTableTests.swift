import Testing

@testable import raft_mux

@Suite("The live table")
struct LiveTableTests {
  static let row = PeerRow(
    node: "leader", peer: "follower-1", sockets: 1, electionStreams: 1, appendStreams: 2, snapshotStreams: 3,
    bytesSent: 3 << 20, bytesReceived: 512, callsInFlight: 16, window: 256 << 10,
    roundTripNanoseconds: 123_456,
    votes: VoteFigures(
      peer: "follower-1", asked: 1234, answered: 1234, medianNanoseconds: 210_000,
      percentile99Nanoseconds: 15_000_000),
    snapshot: .init(size: 64 << 20, plainBytes: 32 << 20, encodedBytes: 8 << 20))

  @Test func `Columns stand under their headings`() throws {
    let lines = LiveTable.lines(
      title: "title", rows: [Self.row, PeerRow(node: "follower-1", peer: "follower-2")], progress: ["end"])
    #expect(lines.count == 6)
    #expect(Set(lines[1...3].map(\.count)).count == 1)
    #expect(lines.first == "title")
    #expect(lines.last == "end")
    let heading = lines[1].split(separator: " ", omittingEmptySubsequences: true)
    #expect(heading.first == "node")
    #expect(lines[2].contains(" 1/2/3 "))
    #expect(lines[2].contains(" 3.0 MiB  512 B "))
    #expect(lines[2].hasSuffix(" 1,234  0.21 ms  15.0 ms"))
  }

  @Test func `What is not known yet shows as such`() {
    let line = LiveTable.lines(title: "", rows: [PeerRow(node: "a", peer: "b")], progress: [])[2]
    #expect(line.split(separator: " ").map(String.init).suffix(5) == ["-", "-", "0", "-", "-"])
    #expect(line.contains("?"))
  }

  @Test(arguments: [
    (0, "[------------------------] 0 %  0 B of 64.0 MiB"),
    (32 << 20, "[############------------] 50 %  32.0 MiB of 64.0 MiB, ratio 0.25 on the wire"),
    (64 << 20, "[########################] 100 %  64.0 MiB of 64.0 MiB, ratio 0.25 on the wire"),
  ])
  func `A snapshot's bar grows`(plainBytes: Int64, bar: String) {
    #expect(
      LiveTable.bar(.init(size: 64 << 20, plainBytes: plainBytes, encodedBytes: plainBytes / 4)) == bar)
  }

  @Test func `An empty snapshot is a whole one`() {
    #expect(LiveTable.bar(.init(size: 0, plainBytes: 0, encodedBytes: 0)).contains("100 %"))
  }

  @Test func `Without a terminal each peer has a line`() {
    #expect(
      LiveTable.plainLines(seconds: 1.04, rows: [Self.row]) == [
        "1.0 s  leader/follower-1: 1 socket, streams 1/2/3, out 3.0 MiB, in 512 B, 16 in flight, "
          + "window 256.0 KiB, RTT 0.12 ms, 1,234 votes p50 0.21 ms p99 15.0 ms, "
          + "snapshot [############------------] 50 %  32.0 MiB of 64.0 MiB, ratio 0.25 on the wire"
      ])
  }

  @Test func `A row takes the window from the other end and the rest from its own`() throws {
    func connection(to peer: String, window: Int, sent: UInt64) -> ConnectionObservation {
      ConnectionObservation(
        peer: peer, isDialled: true, carriesCalls: true, localPort: 1, electionStreams: 0, appendStreams: 1,
        snapshotStreams: 0, bytesReceived: 0, bytesSent: sent, callsInFlight: 0, receiveWindow: window)
    }
    func node(_ connections: [ConnectionObservation]) -> NodeObservation {
      NodeObservation(connections: connections, log: ReceivedLog(), snapshots: .init(), votes: [])
    }
    let observation = ClusterObservation(nodes: [
      "leader": node([connection(to: "follower-1", window: 1, sent: 7)]),
      "follower-1": node([connection(to: "leader", window: 2, sent: 8)]),
    ])
    let rows = PeerRow.rows(observation, followers: ["follower-1", "follower-2"])
    #expect(rows.map(\.node) == ["leader", "leader", "follower-1"])
    #expect(rows.map(\.peer) == ["follower-1", "follower-2", "follower-2"])
    #expect(rows[0].window == 2)
    #expect(rows[0].bytesSent == 7)
    #expect(rows[1].window == nil)
  }
}

@Suite("Figures for people")
struct FiguresTests {
  @Test(
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), ((1 << 20) - 1, "1.0 MiB"),
      (64 << 20, "64.0 MiB"), (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB"),
    ] as [(UInt64, String)])
  func `Bytes get the unit that suits them`(count: UInt64, text: String) {
    #expect(Figures.bytes(count) == text)
  }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-12_345, "-12,345")])
  func `Counts are grouped`(count: Int, text: String) {
    #expect(Figures.count(count) == text)
  }

  @Test(
    arguments: [
      (0, "0.00 ms"), (123_456, "0.12 ms"), (15_000_000, "15.0 ms"), (1_200_000_000, "1.20 s"),
    ] as [(UInt64, String)])
  func `Times get the unit that suits them`(nanoseconds: UInt64, text: String) {
    #expect(Figures.time(nanoseconds: nanoseconds) == text)
  }
}
