import Testing

@testable import raft_mux

@Suite("The system's table of sockets")
struct SocketTableTests {
  static let version4 = """
      sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
       0: 0100007F:9C41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0
       1: 0100007F:9C41 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0 20 4
       2: 0100007F:D2F0 0100007F:9C41 08 00000000:00000000 00:00000000 00000000     0        0 3 1 0 20 4
       3: 0100007F:D2F2 0100007F:9C41 06 00000000:00000000 03:00000F5A 00000000     0        0 0 3 0
       4: 0100007F:D2F4 0100007F:9C41 09 00000000:00000000 00:00000000 00000000     0        0 0 3 0

    """

  static let version6 = """
      sl  local_address                         remote_address                        st tx_queue rx_queue
       0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000
       1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:BEEF 01 00000000:00000000
    """

  @Test func `Ports and states are read, the heading is not`() {
    #expect(
      SocketTable.parse(Self.version4) == [
        .init(localPort: 40001, remotePort: 0, state: .listen),
        .init(localPort: 40001, remotePort: 54000, state: .established),
        .init(localPort: 54000, remotePort: 40001, state: .closeWait),
        .init(localPort: 54002, remotePort: 40001, state: .timeWait),
        .init(localPort: 54004, remotePort: 40001, state: .passing(9)),
      ])
  }

  @Test func `Addresses of IPv6 are as good`() {
    #expect(
      SocketTable.parse(Self.version6) == [
        .init(localPort: 8080, remotePort: 0, state: .listen),
        .init(localPort: 8080, remotePort: 48879, state: .established),
      ])
  }

  @Test(arguments: [
    "", "\n\n", "x", "a b c d", "0: 0100007F:ZZZZ 00000000:0000 0A", "0: 1:2:3 4:5 01", "0: 1:2 3:4 1FF",
  ])
  func `What is no socket is left out`(text: String) {
    #expect(SocketTable.parse(text).isEmpty)
  }

  @Test func `Of the sockets after closing only those count that someone holds`() {
    let table = SocketTable(sockets: SocketTable.parse(Self.version4))
    #expect(table.open(ofListeners: [40001]).map(\.state) == [.listen, .established, .closeWait])
    #expect(table.open(ofListeners: [54002]).isEmpty)
    #expect(table.open(ofListeners: [1]).isEmpty)
  }

  @Test func `A connection within the machine is counted at its accepting end alone`() {
    let table = SocketTable(sockets: [
      .init(localPort: 100, remotePort: 5000, state: .established),
      .init(localPort: 5000, remotePort: 100, state: .established),
    ])
    #expect(table.diallers(toListener: 100) == [5000])
  }
}

@Suite("Connections per pair")
struct ConnectionCountTests {
  private let nodes: [ConnectionCount.Node] = [
    .init(id: "leader", listenerPort: 100, diallingPorts: [5001]),
    .init(id: "follower-1", listenerPort: 200, diallingPorts: [5002]),
    .init(id: "follower-2", listenerPort: 300, diallingPorts: [5003]),
  ]

  private func connected(_ pairs: [(dialler: Int, listener: Int)]) -> SocketTable {
    SocketTable(
      sockets: pairs.flatMap { pair in
        [
          SocketTable.Socket(localPort: pair.listener, remotePort: pair.dialler, state: .established),
          SocketTable.Socket(localPort: pair.dialler, remotePort: pair.listener, state: .established),
        ]
      })
  }

  @Test func `One connection per pair is found whoever dialled`() {
    let count = ConnectionCount(
      table: self.connected([(5001, 200), (5002, 300), (5003, 100)]), nodes: self.nodes)
    #expect(
      count.byPair == [
        .init("leader", "follower-1"): 1, .init("follower-1", "follower-2"): 1,
        .init("follower-2", "leader"): 1,
      ])
    #expect(count.unclaimed == 0)
    #expect(count.total == 3)
  }

  @Test func `A second connection that both ends dialled shows`() {
    let count = ConnectionCount(table: self.connected([(5001, 200), (5002, 100)]), nodes: self.nodes)
    #expect(count.byPair[.init("leader", "follower-1")] == 2)
    #expect(count.byPair[.init("follower-1", "follower-2")] == 0)
  }

  @Test func `A connection that no node owns up to shows`() {
    let count = ConnectionCount(table: self.connected([(5001, 200), (6000, 200)]), nodes: self.nodes)
    #expect(count.unclaimed == 1)
    #expect(count.total == 2)
  }

  @Test func `A pair has no direction`() {
    #expect(ConnectionCount.Pair("a", "b") == ConnectionCount.Pair("b", "a"))
    #expect("\(ConnectionCount.Pair("b", "a"))" == "a/b")
  }
}
