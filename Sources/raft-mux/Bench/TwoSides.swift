/// This process as the calling side, and the answering one.
struct TwoSides: Sendable {
  let server: any AnsweringSide
  private let own = OwnProcess()

  init(server: any AnsweringSide) {
    self.server = server
  }

  func count(_ isOn: Bool) async throws {
    try await server.count(isOn)
    try own.count(isOn)
  }

  func usage(wireBytes: UInt64) async throws -> Usage {
    Usage(client: own.usage, server: try await server.usage(), wireBytes: wireBytes)
  }
}
