internal import NIOCore

/// Where a case meets the peer under test.
package actor Stage {
  /// How the peer is reached.
  package enum Target: Sendable {
    case server(host: String, port: Int)
    case client(ProbeListener)

    package var subject: Subject {
      switch self {
      case .server: .server
      case .client: .client
      }
    }
  }

  let settings: SuiteSettings
  let target: Target
  private let name: String
  nonisolated let deadline: NIODeadline
  private var probes: [Probe] = []

  nonisolated var subject: Subject { target.subject }

  init(target: Target, settings: SuiteSettings, name: String, deadline: NIODeadline) {
    self.target = target
    self.settings = settings
    self.name = name
    self.deadline = deadline
  }

  /// A HELLO that a peer has no reason to refuse. Each case has a server ID of its own towards a server, so that cases
  /// do not meet in its table of peers.
  nonisolated func hello(id: String? = nil) -> ProbeHello {
    let own = subject == .server ? "\(settings.serverID)-\(name)" : settings.serverID
    var hello = ProbeHello(clusterID: settings.clusterID, serverID: id ?? own)
    hello.address = Array(settings.advertisedAddress.utf8)
    if settings.key != nil { hello.methods = ProofKey.methodBit }
    return hello
  }

  /// A new connection, on which nothing was said yet.
  func connect(manners: Probe.Manners = .init()) async throws -> Probe {
    let socket: ProbeChannel
    switch target {
    case .server(let host, let port):
      do {
        socket = try await ProbeChannel.connect(host: host, port: port, hasRoom: manners.hasRoom)
      } catch {
        throw CaseFailure(expected: "a server that accepts connections", actual: "\(error)")
      }
    case .client(let listener):
      guard let next = await listener.next(until: deadline) else {
        throw CaseFailure(expected: "a client that dials again", actual: "no connection in time")
      }
      socket = next
    }
    let probe = Probe(socket, subject: subject, settings: settings, deadline: deadline, manners: manners)
    await probe.start(socket)
    probes.append(probe)
    return probe
  }

  /// A connection with the HELLOs exchanged; the peer's AUTH may have come.
  func greeted(
    manners: Probe.Manners = .init(), _ change: @Sendable (inout ProbeHello) -> Void = { _ in }
  ) async throws -> Probe {
    let probe = try await connect(manners: manners)
    var hello = hello()
    change(&hello)
    if subject == .client { _ = try await probe.expectHello() }
    await probe.greet(hello)
    if subject == .server { _ = try await probe.expectHello() }
    return probe
  }

  /// A connection behind both WELCOMEs.
  func established(
    manners: Probe.Manners = .init(), _ change: @Sendable (inout ProbeHello) -> Void = { _ in }
  ) async throws -> Probe {
    let probe = try await greeted(manners: manners, change)
    try await probe.authenticate(and: .welcome(flags: 1))
    try await probe.expectAcceptance()
    return probe
  }

  /// Closes everything, and says what the peer must never have sent.
  func end() async throws {
    var finding: (any Error)?
    for probe in probes {
      await probe.settle()
      do { try await probe.checkAudit() } catch { finding = finding ?? error }
    }
    await closeAll()
    if let finding { throw finding }
  }

  func closeAll() async {
    for probe in probes { await probe.close() }
  }
}
