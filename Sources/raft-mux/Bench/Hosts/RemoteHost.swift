import NIOCore

/// Has `raft-mux bench --serve` run the answering processes, in another network namespace or on another machine.
struct RemoteHost: AnsweringHost {
  let callerHost: String
  let machine: Machine?
  private let conversation: Conversation
  private let started = Tally()

  private init(callerHost: String, machine: Machine?, conversation: Conversation) {
    self.callerHost = callerHost
    self.machine = machine
    self.conversation = conversation
  }

  /// Connects.
  ///
  /// - Parameter address: `host:port`.
  static func connect(to address: String) async throws -> RemoteHost {
    let (conversation, localHost) = try await Conversation.connected(to: Self.resolve(address))
    do {
      let machine: Machine = try await conversation.ask(PeerLines.Order(order: "machine"))
      return RemoteHost(callerHost: localHost, machine: machine, conversation: conversation)
    } catch {
      await conversation.stop()
      throw BenchError("\(address) does not answer like raft-mux bench --serve: \(error)")
    }
  }

  static func resolve(_ address: String) throws -> SocketAddress {
    guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...])
    else {
      throw BenchError("'\(address)' is not host:port")
    }
    return try SocketAddress.makeAddressResolvingHost(String(address[..<colon]), port: port)
  }

  func start(_ system: SystemName, _ shape: ServerShape) async throws -> any AnsweringSide {
    started.add(1)
    let side = started.value
    let listening: PeerLines.Listening = try await conversation.ask(
      PeerLines.Order(order: "serve", system: system, side: side, shape: shape))
    return RemoteProcess(
      side: side, address: listening.address, otherAddresses: listening.others ?? [],
      conversation: conversation)
  }

  /// The other side ends what it has started when the connection ends.
  func close() async {
    await conversation.stop()
  }
}

/// An answering process at the other end.
private struct RemoteProcess: AnsweringSide {
  let side: Int
  let address: String
  let otherAddresses: [String]
  let conversation: Conversation

  func count(_ isOn: Bool) async throws {
    let order = PeerLines.Order(order: isOn ? "count" : "discount", side: side)
    let _: PeerLines.Done = try await conversation.ask(order)
  }

  func usage() async throws -> PeerLines.ProcessUsage {
    try await conversation.ask(PeerLines.Order(order: "usage", side: side))
  }

  func stop() async {
    let _: PeerLines.Done? = try? await conversation.ask(PeerLines.Order(order: "stop", side: side))
  }
}
