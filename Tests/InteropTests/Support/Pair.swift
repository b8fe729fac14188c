import RaftTransport

/// A server of each kind, for the length of a closure.
func withPair(
  _ listening: GoListening = GoListening(transport: .rmux), swift: SwiftPeer,
  _ body: (GoPeer, String) async throws -> Void
) async throws {
  let (go, address) = try await GoPeer.listening(listening)
  do {
    try await body(go, address)
  } catch {
    await go.end()
    await swift.close()
    throw error
  }
  await go.end()
  await swift.close()
}
