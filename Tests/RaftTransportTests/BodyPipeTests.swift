import NIOCore
import Synchronization
import Testing

@testable import RaftTransport

@Suite("The pipe of an incoming body")
struct BodyPipeTests {
  /// What the pipe reported by itself.
  private final class Reports: Sendable {
    private let counts = Mutex<[Int]>([])
    var all: [Int] { counts.withLock { $0 } }
    func add(_ count: Int) { counts.withLock { $0.append(count) } }
  }

  /// Small pieces that wait are put together; those of a kilobyte and more come out as they went in.
  private func piece(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 7, count: count) }

  @Test("What was taken is told with the next bytes, and by a wake-up only when it is much")
  func reportsInLots() async throws {
    let reports = Reports()
    let pipe = BodyPipe { reports.add($0) }
    let iterator = pipe.makeAsyncIterator()
    for _ in 0..<3 { #expect(pipe.push(piece(100_000), reportThreshold: 250_000) == 0) }
    _ = try await iterator.next()
    #expect(reports.all.isEmpty)
    #expect(pipe.push(piece(100_000), reportThreshold: 250_000) == 100_000)
    for _ in 0..<2 { _ = try await iterator.next() }
    #expect(reports.all.isEmpty)
    _ = try await iterator.next()
    #expect(reports.all == [300_000])
    #expect(pipe.push(piece(100_000), reportThreshold: 250_000) == 0)
  }

  @Test("At the end nothing stays untold, in whatever order end and reader come", arguments: [true, false])
  func nothingStaysUntold(endsBeforeReading: Bool) async throws {
    let reports = Reports()
    let pipe = BodyPipe { reports.add($0) }
    let iterator = pipe.makeAsyncIterator()
    var told = 0
    for _ in 0..<5 { told += pipe.push(piece(10_000), reportThreshold: 1_000_000) }
    if endsBeforeReading { pipe.finish() }
    for _ in 0..<5 { #expect(try await iterator.next()?.readableBytes == 10_000) }
    if !endsBeforeReading { pipe.finish() }
    #expect(try await iterator.next() == nil)
    #expect(told + reports.all.reduce(0, +) == 50_000)
  }

  @Test("A reader that waits gets the bytes, which are told at once")
  func waitingReader() async throws {
    let reports = Reports()
    let pipe = BodyPipe { reports.add($0) }
    async let bytes = pipe.makeAsyncIterator().next()
    // Whether the reader waits already or not: it is told exactly once.
    var told = pipe.push(piece(10), reportThreshold: 1_000)
    #expect(try await bytes?.readableBytes == 10)
    pipe.finish()
    told += reports.all.reduce(0, +)
    #expect(told == 10)
  }

  @Test("Giving up tells of what was dropped and of what was taken, and the reader gets the error")
  func abandoning() async throws {
    let reports = Reports()
    let pipe = BodyPipe { reports.add($0) }
    let iterator = pipe.makeAsyncIterator()
    for _ in 0..<4 { _ = pipe.push(piece(10), reportThreshold: 1_000) }
    _ = try await iterator.next()
    let error = TransportError(.snapshotCut, "", delivery: .answered)
    #expect(pipe.abandon(error) == 40)
    #expect(pipe.push(piece(5), reportThreshold: 1_000) == 5)
    #expect(reports.all.isEmpty)
    await #expect(throws: TransportError.self) { try await iterator.next() }
  }

  @Test("A cancelled reader stops waiting")
  func cancellation() async throws {
    let pipe = BodyPipe { _ in }
    let reading = Task { try await pipe.makeAsyncIterator().next() }
    reading.cancel()
    await #expect(throws: CancellationError.self) { try await reading.value }
  }
}
