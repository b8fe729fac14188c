internal import NIOCore

/// AUTH of both sides.
extension Probe {
  private var ownRole: ProofKey.Role { subject == .server ? .dialler : .acceptor }
  private var peerRole: ProofKey.Role { subject == .server ? .acceptor : .dialler }

  /// What somebody in a role has to prove on this connection.
  func proof(of role: ProofKey.Role, _ key: ProofKey) -> [UInt8] {
    subject == .server
      ? key.proof(of: role, dialler: helloFrame, acceptor: peerHelloFrame)
      : key.proof(of: role, dialler: peerHelloFrame, acceptor: helloFrame)
  }

  /// This side's proof, as it has to be.
  func ownProof(_ key: ProofKey) -> [UInt8] { proof(of: ownRole, key) }

  /// The peer's, as it has to be.
  func peerProof(_ key: ProofKey) -> [UInt8] { proof(of: peerRole, key) }

  /// Sends AUTH, and WELCOME behind it when the time for that has come: with a key the dialler proves first, and nobody
  /// accepts before the other's proof is checked.
  func authenticate(and welcome: ProbeFrame? = nil) async throws {
    guard let key = settings.key else { return await send([.authentication()] + [welcome].compactMap { $0 }) }
    if subject == .client, try await !checkProof(key) { return }
    await send(.authentication(method: ProofKey.method, proof: ownProof(key)))
    guard let welcome else { return }
    if subject == .server, try await !checkProof(key) { return }
    await send(welcome)
  }

  /// Waits for the peer's AUTH. False if the peer refuses in its place, which is then still to be read.
  private func checkProof(_ key: ProofKey) async throws -> Bool {
    let what = "AUTH with a proof of the shared key"
    guard let frame = try await nextFrame(what) else {
      throw CaseFailure(expected: what, actual: "the end of the connection (\(recently))")
    }
    guard frame.type == FrameKind.authentication else {
      returnFrame(frame)
      return false
    }
    guard frame.payload == [ProofKey.method] + peerProof(key) else {
      throw CaseFailure(expected: what, actual: "payload \(hexadecimal(frame.payload))")
    }
    return true
  }
}
