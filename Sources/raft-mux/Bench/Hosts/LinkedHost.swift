/// Puts an emulated link in front of every answering process of another host. One system's connections share one link.
struct LinkedHost: AnsweringHost {
  let base: any AnsweringHost
  let link: LinkChoice

  var callerHost: String { base.callerHost }
  var machine: Machine? { base.machine }

  func start(_ system: SystemName, _ shape: ServerShape) async throws -> any AnsweringSide {
    let side = try await base.start(system, shape)
    do {
      return try await LinkedSide.start(side, link)
    } catch {
      await side.stop()
      throw error
    }
  }

  func close() async {
    await base.close()
  }
}

/// An answering process behind a relay, which is a process of its own: its work is nobody's CPU seconds.
private struct LinkedSide: AnsweringSide {
  let address: String
  /// Further transports are reached without the link: only what idles is asked of them.
  var otherAddresses: [String] { base.otherAddresses }
  private let base: any AnsweringSide
  private let relay: Conversation

  static func start(_ base: any AnsweringSide, _ link: LinkChoice) async throws -> LinkedSide {
    let (relay, _) = try Conversation.withProcess(arguments: LinkCommand.arguments(to: base.address, link))
    do {
      let address = try await relay.hear(PeerLines.Listening.self).address
      return LinkedSide(address: address, base: base, relay: relay)
    } catch {
      await relay.stop()
      throw error
    }
  }

  func count(_ isOn: Bool) async throws {
    try await base.count(isOn)
  }

  func usage() async throws -> PeerLines.ProcessUsage {
    try await base.usage()
  }

  func stop() async {
    await relay.stop()
    await base.stop()
  }
}
