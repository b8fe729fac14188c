import NIOCore
import Testing

@testable import StreamMux

/// What a peer can make an engine keep that takes no part in flow control. The numbers are smaller than the default
/// ones, which the tables hold.
@Suite("What a peer can make wait")
struct WaitingFramesTests {
  private static let most = 64

  /// Budgets that never run out, so that nothing but the limit itself can end the connection.
  private func lone() throws -> LoneEngine {
    let plenty = AbuseLimits.Allowance(burst: 1_000_000, perSecond: 1_000_000)
    let limits = try MuxLimits(maximumControlFrames: Self.most)
    let abuse = try AbuseLimits(changing: [.provokedResets: plenty, .lateFrames: plenty, .resets: plenty])
    return try LoneEngine(configuration: MuxConfiguration(limits: limits, abuse: abuse))
  }

  private func end(_ lone: inout LoneEngine) throws -> GoAway? {
    guard case .frame(.goAway(let goAway))? = try lone.sentFrames().last else { return nil }
    return goAway
  }

  // R-LIM-7
  @Test("one control frame more than may wait for a socket that takes nothing ends the connection")
  func controlFrames() throws {
    var lone = try lone()
    for number in 0...Self.most {
      #expect(lone.engine.phase == .running, "\(number) frames wait")
      lone.receiveOpening(UInt64(2 * number + 1))
      // Each is answered by a RESET, which nobody takes.
      lone.receive(.stop(stream: UInt64(2 * number + 1), code: .cancelled))
    }
    let goAway = try end(&lone)
    #expect(goAway?.code == .excessiveLoad)
    #expect(goAway?.text.contains("\(Self.most)") == true, "\(goAway?.text ?? "")")
  }

  @Test("as many as there may be do no harm where the socket takes them")
  func controlFramesThatGoOut() throws {
    var lone = try lone()
    for number in 0..<(3 * Self.most) {
      lone.receiveOpening(UInt64(2 * number + 1))
      lone.receive(.stop(stream: UInt64(2 * number + 1), code: .cancelled))
      #expect(try lone.sentFrames().count == 1)
    }
    #expect(lone.engine.phase == .running)
  }

  private func refused(_ number: Int, isLast: Bool = false) -> DataHeader {
    let unknown = DataHeader.Opening(trafficClass: 9, encoding: 0, group: 0)
    return DataHeader(stream: UInt64(2 * number + 1), opening: unknown, isLast: isLast, byteCount: 0)
  }

  // R-LIM-9
  @Test("one refused stream more than may be kept, which the peer does not end, ends the connection")
  func refusedStreams() throws {
    var lone = try lone()
    for number in 0..<Self.most {
      lone.receive(refused(number))
      #expect(try lone.sentFrames().count == 2)
    }
    #expect(lone.engine.phase == .running)
    lone.receive(refused(Self.most))
    #expect(try end(&lone)?.code == .excessiveLoad)
  }

  @Test("refused streams that the peer ends are not kept", arguments: [true, false])
  func refusedAndEnded(byFinish: Bool) throws {
    var lone = try lone()
    for number in 0..<(3 * Self.most) {
      lone.receive(refused(number, isLast: byFinish))
      _ = try lone.sentFrames()
      if !byFinish { lone.receive(.reset(stream: UInt64(2 * number + 1), code: .cancelled)) }
    }
    #expect(lone.engine.phase == .running)
    #expect(lone.engine.streams.count == 0)
  }
}
