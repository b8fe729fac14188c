import Testing

@testable import RaftTransport

@Suite("The options of sockets")
struct SocketOptionsTests {
  // R-PATH-1
  @Test(
    "what waits in NIO is no more than the burst, and half of a large one",
    arguments: [
      (burst: 4_096, most: 4_096), (burst: 65_536, most: 65_536), (burst: 131_072, most: 65_536),
      (burst: 524_288, most: 262_144),
    ])
  func pending(burst: Int, most: Int) {
    #expect(SocketOptions.mostPending(forBurst: burst) == most)
  }
}
