import NIOCore
import StreamMux
import Testing

@Suite("Whatever bytes come, the decoder ends with frames or a violation")
struct FrameFuzzTests {
  // R-ERR-9
  @Test("random bytes never crash it", arguments: 0..<64 as Range<UInt64>)
  func randomBytes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let length = Int.random(in: 0...200, using: &random)
      let bytes = ByteBuffer(bytes: (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &random) })
      checkCutsAgree(bytes, isChecksummed: Bool.random(using: &random), using: &random, seed: seed)
    }
  }

  @Test("frames with a few bytes changed never crash it", arguments: 0..<64 as Range<UInt64>)
  func damagedFrames(seed: UInt64) {
    var random = SplitMix64(seed: seed &+ 1_000)
    for _ in 0..<100 {
      let isChecksummed = Bool.random(using: &random)
      var bytes = mixedFrames(
        isChecksummed: isChecksummed, dataLength: Int.random(in: 0...40, using: &random))
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.readableBytes, using: &random)
        bytes.setInteger(UInt8.random(in: .min ... .max, using: &random), at: index)
      }
      checkCutsAgree(bytes, isChecksummed: isChecksummed, using: &random, seed: seed)
    }
  }

  @Test("handshake payloads of random bytes never crash their decoders", arguments: 0..<64 as Range<UInt64>)
  func handshakePayloads(seed: UInt64) throws {
    var random = SplitMix64(seed: seed &+ 2_000)
    let good = payload(of: try sampleHello(extensions: [.init(type: 1, value: [1, 2, 3])]))
    for _ in 0..<200 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.readableBytes, using: &random)
        bytes.setInteger(UInt8.random(in: .min ... .max, using: &random), at: index)
      }
      let length = Int.random(in: 0...bytes.readableBytes, using: &random)
      for candidate in [bytes, bytes.getSlice(at: 0, length: length) ?? ByteBuffer()] {
        guard let hello = try? Hello(decoding: candidate) else { continue }
        // What is taken can be written again, and says the same.
        #expect(payload(of: hello) == candidate, "seed \(seed)")
      }
    }
  }

  private func checkCutsAgree(
    _ bytes: ByteBuffer, isChecksummed: Bool, using random: inout SplitMix64, seed: UInt64
  ) {
    let whole = decode([bytes], isChecksummed: isChecksummed)
    let places = (0..<Int.random(in: 0...5, using: &random))
      .map { _ in Int.random(in: 0...bytes.readableBytes, using: &random) }.sorted()
    let pieces = decode(cut(bytes, at: places), isChecksummed: isChecksummed)
    #expect(pieces.found == whole.found, "seed \(seed): \(hex(bytes)) cut at \(places)")
    #expect(pieces.violation == whole.violation, "seed \(seed): \(hex(bytes)) cut at \(places)")
  }
}
