import NIOCore
import StreamMux

/// Turns the user's configuration into engines: the one place where the two meet.
struct EngineSettings: Sendable {
  let serverID: ServerID
  let clusterID: String
  /// What HELLO says about where this server can be dialled.
  let advertisedAddress: ServerAddress
  let environment: TransportEnvironment
  private let mux: MuxConfiguration
  var limits: MuxLimits { mux.limits }
  private let frameChecksums: TransportConfiguration.FrameChecksums
  /// Grows with each start of the server, so that peers can tell an old connection from a new one.
  private let incarnation: UInt64

  /// - Throws: ``TransportError`` with `badConfiguration`, which names the field and its range.
  init(_ configuration: TransportConfiguration, advertisedAddress: ServerAddress) throws(TransportError) {
    serverID = configuration.serverID
    clusterID = configuration.clusterID
    self.advertisedAddress = advertisedAddress
    frameChecksums = configuration.frameChecksums
    environment = configuration.environment
    incarnation = environment.nanosecondsSinceEpoch()
    let limits = configuration.limits
    do {
      mux = MuxConfiguration(
        limits: try MuxLimits(
          initialWindow: configuration.windows.initial,
          streamCredit: StreamCredit(
            election: UInt32(clamping: limits.electionStreams),
            append: UInt32(clamping: limits.appendStreams),
            snapshot: UInt32(clamping: limits.snapshotStreams)),
          receiveBudget: configuration.windows.receiveBudget,
          maximumAppendWindow: configuration.windows.largestForAppends,
          maximumSnapshotWindow: configuration.windows.largestForSnapshots,
          // Twice the largest message: one may be in its handler while the next is put together.
          assemblyBudget: max(
            1 << 20, limits.maximumMessageBytes.multipliedReportingOverflow(by: 2).partialValue),
          maximumPendingOpens: limits.waitingCalls),
        group: configuration.group)
    } catch {
      throw TransportError(.badConfiguration, "limits: \(error)", delivery: .notDelivered, underlying: error)
    }
    _ = try hello(target: "", isLoopback: true, .plaintext)
  }

  /// A new engine for one connection.
  ///
  /// - Parameters:
  ///   - target: The server that must answer; empty for whoever does. Of a dialler only.
  ///   - isLoopback: Whether the bytes never leave this machine.
  ///   - security: What is demanded of the peer.
  ///   - startedAt: When the time began that the handshake may take.
  func engine(
    role: Role, target: ServerID, isLoopback: Bool, security: ConnectionSecurity, startedAt: NIODeadline
  ) throws(TransportError) -> (engine: MuxConnection, nonce: Nonce) {
    let target = environment.has(.ignoresServerID) ? "" : target
    let hello = try hello(target: target, isLoopback: isLoopback, security)
    let engine = MuxConnection(
      role: role, hello: hello, expectedServerID: target.isEmpty ? nil : target.rawValue, configuration: mux,
      seed: environment.random(), now: startedAt)
    return (engine, hello.nonce)
  }

  private func hello(
    target: ServerID, isLoopback: Bool, _ security: ConnectionSecurity
  ) throws(TransportError) -> Hello {
    do {
      return try Hello(
        features: features(isLoopback: isLoopback, security.layer),
        methods: security.methods,
        maximumFramePayload: UInt32(mux.limits.maximumFramePayload),
        initialWindow: UInt32(mux.limits.initialWindow),
        streamCredit: mux.limits.streamCredit,
        incarnation: incarnation,
        nonce: environment.nonce(),
        clusterID: clusterID,
        serverID: serverID.rawValue,
        address: advertisedAddress.rawValue,
        targetServerID: target.rawValue)
    } catch {
      throw TransportError(.badConfiguration, "\(error)", delivery: .notDelivered, underlying: error)
    }
  }

  /// What is offered to a peer (R-HSK-15).
  func features(isLoopback: Bool, _ layer: ConnectionSecurity.Layer) -> Features {
    if environment.has(.dropsChecksums) { return [] }
    return switch frameChecksums {
    case .automatic: isLoopback || layer == .tls ? [] : .crc32
    case .always: .crc32
    case .never: []
    }
  }
}
