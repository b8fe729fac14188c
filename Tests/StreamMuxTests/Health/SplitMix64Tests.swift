import NIOCore
import Testing

@testable import StreamMux

@Suite("The seeded generator")
struct SplitMix64Tests {
  @Test("gives the published sequence for its seed")
  func sequence() {
    // From the reference implementation in C, seed 1234567.
    var random = SplitMix64(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    #expect(expected.map { _ in random.next() } == expected)
  }

  @Test("jitter stays in its range and uses it", arguments: 0..<4 as Range<UInt64>)
  func jitter(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let values = (0..<1_000).map { _ in random.jittered(.seconds(1), byPercent: 20) }
    #expect(values.allSatisfy { $0 >= .milliseconds(800) && $0 <= .milliseconds(1_200) }, "seed \(seed)")
    #expect(try #require(values.min()) < .milliseconds(820), "seed \(seed)")
    #expect(try #require(values.max()) > .milliseconds(1_180), "seed \(seed)")
    #expect(random.jittered(.seconds(1), byPercent: 0) == .seconds(1))
    #expect(random.jittered(.zero, byPercent: 50) == .zero)
  }

  @Test("the frame to ignore is one, by the seed", arguments: 0..<200 as Range<UInt64>)
  func ignorableFrame(seed: UInt64) throws {
    var written: [ByteBuffer] = []
    for _ in 0..<2 {
      var random = SplitMix64(seed: seed)
      var bytes = ByteBuffer()
      FrameEncoder().writeIgnorable(using: &random, into: &bytes)
      written.append(bytes)
    }
    #expect(written[0] == written[1], "seed \(seed)")
    let got = decode([written[0]])
    guard case .ignorable(let type, let length) = try #require(got.found.first) else {
      Issue.record("seed \(seed): \(got)")
      return
    }
    #expect(got.found.count == 1 && got.violation == nil, "seed \(seed)")
    #expect(type >= 0x80 && length <= 32, "seed \(seed)")
  }
}
