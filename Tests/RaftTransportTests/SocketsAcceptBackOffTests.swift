import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import RaftTransport

@Suite("Sockets: a listener that cannot accept")
struct SocketsAcceptBackOffTests {
  private static let pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000].map {
    TimeAmount.milliseconds($0)
  }

  @Test("The pauses double from 5 ms to 1 s and begin anew after a success")
  func value() {
    var backOff = AcceptBackOff()
    for _ in 1...3 {
      #expect(Self.pauses.map { _ in backOff.pauseAfterFailure() } == Self.pauses)
      backOff.succeeded()
    }
    backOff.succeeded()
    #expect(backOff.pauseAfterFailure() == .milliseconds(5))
  }

  /// Counts what reaches the channel, on the other side of the handler.
  private final class ReadCounter: ChannelOutboundHandler {
    typealias OutboundIn = Never
    var count = 0

    func read(context: ChannelHandlerContext) {
      count += 1
    }
  }

  private final class Report {
    var pauses: [TimeAmount] = []
  }

  private func makeChannel() throws -> (EmbeddedChannel, ReadCounter, Report) {
    let channel = EmbeddedChannel()
    let (counter, report) = (ReadCounter(), Report())
    try channel.pipeline.syncOperations.addHandlers(
      counter, AcceptBackOffHandler { _, pause in report.pauses.append(pause) })
    return (channel, counter, report)
  }

  private let outOfDescriptors = IOError(errnoCode: EMFILE, reason: "accept")

  @Test("Nothing is accepted during a pause, and it is tried again right behind it")
  func handler() throws {
    let (channel, counter, report) = try makeChannel()
    channel.read()
    #expect(counter.count == 1)
    for (index, pause) in Self.pauses.enumerated() {
      channel.pipeline.fireErrorCaught(outOfDescriptors)
      #expect(report.pauses == Array(Self.pauses[...index]))
      channel.read()
      channel.embeddedEventLoop.advanceTime(by: pause - .nanoseconds(1))
      #expect(counter.count == index + 1, "still pausing")
      channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
      #expect(counter.count == index + 2, "tried again")
    }
    channel.read()
    #expect(counter.count == Self.pauses.count + 2, "and reads pass as before")
  }

  @Test("A connection that was accepted starts the pauses anew, and goes on to whoever serves it")
  func success() throws {
    let (channel, _, report) = try makeChannel()
    for _ in 1...3 {
      channel.pipeline.fireErrorCaught(outOfDescriptors)
      channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    }
    let accepted: any Channel = EmbeddedChannel()
    try channel.writeInbound(accepted)
    #expect(try channel.readInbound(as: (any Channel).self) === accepted)
    channel.pipeline.fireErrorCaught(outOfDescriptors)
    #expect(report.pauses.map(\.nanoseconds) == [5, 10, 20, 5].map { $0 * 1_000_000 })
  }

  @Test("Errors during a pause and errors of other kinds do not lengthen it")
  func otherErrors() throws {
    struct ChildTrouble: Error {}
    let (channel, _, report) = try makeChannel()
    channel.pipeline.fireErrorCaught(ChildTrouble())
    #expect(report.pauses.isEmpty)
    channel.pipeline.fireErrorCaught(outOfDescriptors)
    channel.pipeline.fireErrorCaught(outOfDescriptors)
    #expect(report.pauses == [.milliseconds(5)])
  }
}
