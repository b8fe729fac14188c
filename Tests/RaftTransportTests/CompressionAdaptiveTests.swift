import Testing

@testable import RaftTransport

@Suite("Adaptive compression")
struct CompressionAdaptiveTests {
  private static let chunk = 262_144

  /// A path of a known rate and a compressor, in decisions.
  private struct Decisions {
    var adaptive: AdaptiveCompression
    var link: LinkRate?
    var compressorSpeed: Double
    var ratio: Double
    var now = 0.0
    var compressed = 0
    var stored = 0
    var probes = 0

    init(linkRate: Double?, compressorSpeed: Double, ratio: Double, parallelism: Int = 1) {
      adaptive = AdaptiveCompression(parallelism: parallelism)
      link = linkRate.map { LinkRate(bytesPerSecond: $0) }
      self.compressorSpeed = compressorSpeed
      self.ratio = ratio
    }

    mutating func run(chunks: Int) {
      (compressed, stored, probes) = (0, 0, 0)
      for _ in 0..<chunks {
        let decision = adaptive.decide(link: link, now: now)
        now += 0.001
        switch decision {
        case .stored: stored += 1
        case .zlib: compressed += 1
        case .probe: probes += 1
        }
        adaptive.record(
          decision, rawLength: chunk, encodedLength: Int(Double(chunk) * ratio),
          seconds: Double(chunk) / compressorSpeed)
      }
    }
  }

  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var linkRate: Double
    var compressorSpeed: Double
    var ratio: Double
    var parallelism = 1
    var compresses: Bool
    var testDescription: String { name }
  }

  static let cases = [
    Case(name: "fast LAN, random", linkRate: 1e9, compressorSpeed: 1e8, ratio: 1, compresses: false),
    Case(name: "fast LAN, text", linkRate: 1e9, compressorSpeed: 1e8, ratio: 0.2, compresses: false),
    Case(name: "slow link, text", linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3, compresses: true),
    Case(name: "slow link, random", linkRate: 1e6, compressorSpeed: 1e8, ratio: 1, compresses: false),
    Case(name: "slow link, 4 % gain", linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.96, compresses: false),
    Case(name: "slow link, 6 % gain", linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.94, compresses: true),
    Case(name: "compressor at 1.04 R", linkRate: 1e8, compressorSpeed: 1.04e8, ratio: 0.3, compresses: false),
    Case(name: "compressor at 1.06 R", linkRate: 1e8, compressorSpeed: 1.06e8, ratio: 0.3, compresses: true),
    Case(
      name: "compressor at 0.6 R, two at once", linkRate: 1e8, compressorSpeed: 0.6e8, ratio: 0.3,
      parallelism: 2, compresses: true),
  ]

  @Test("Compression is used where it is faster by 5 %, from the first probe on", arguments: cases)
  func decision(_ item: Case) {
    var simulation = Decisions(
      linkRate: item.linkRate, compressorSpeed: item.compressorSpeed, ratio: item.ratio,
      parallelism: item.parallelism)
    simulation.run(chunks: 1 + item.parallelism)
    #expect(simulation.stored + simulation.compressed >= 1)
    #expect(simulation.probes >= 1)
    simulation.run(chunks: 1_000)
    if item.compresses {
      #expect(simulation.compressed == 1_000)
    } else {
      #expect(simulation.compressed == 0)
    }
  }

  @Test(
    "Probes of what does not pay cost at most 1 % of the link's time, or one chunk in nine",
    arguments: [1e6, 1e8, 1e9, 1e10])
  func probesAreRare(linkRate: Double) {
    var simulation = Decisions(linkRate: linkRate, compressorSpeed: 1e8, ratio: 1)
    simulation.run(chunks: 2)
    simulation.run(chunks: 100_000)
    let probeTime = Double(simulation.probes * AdaptiveCompression.shortChunkLength) / 1e8
    let linkTime = Double(simulation.stored * Self.chunk) / linkRate
    #expect(simulation.probes >= 1)
    #expect(simulation.probes <= 100_000 / 9 + 1)
    #expect(probeTime <= 0.011 * linkTime)
  }

  @Test("When random data becomes text, the next probe turns compression on")
  func recoversWhenDataChanges() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 1)
    simulation.run(chunks: 101)
    #expect(simulation.compressed == 0)
    simulation.ratio = 0.9
    simulation.run(chunks: 9)
    #expect(simulation.probes == 1)
    simulation.run(chunks: 100)
    #expect(simulation.compressed == 100)
  }

  @Test("When text becomes random data, compression stops within some chunks")
  func stopsWhenDataChanges() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.2)
    simulation.run(chunks: 100)
    simulation.ratio = 1
    simulation.run(chunks: 20)
    #expect(simulation.stored > 0)
    simulation.run(chunks: 90)
    #expect(simulation.compressed == 0)
    #expect(simulation.probes == 10)
  }

  @Test("When the path's rate changes, the decision follows at once")
  func followsTheLink() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 10)
    simulation.link = LinkRate(bytesPerSecond: 1e9)
    simulation.run(chunks: 50)
    #expect(simulation.compressed == 0)
    simulation.link = LinkRate(bytesPerSecond: 1e6)
    simulation.run(chunks: 50)
    #expect(simulation.compressed == 50)
  }

  @Test("While the path's rate is unknown chunks go plain and short, but for probes")
  func unknownRate() {
    var simulation = Decisions(linkRate: nil, compressorSpeed: 1e8, ratio: 0.3)
    let short = AdaptiveCompression.shortChunkLength
    #expect(simulation.adaptive.chunkLength(.stored, link: nil) == short)
    simulation.run(chunks: 2 + 65 * 10)
    #expect(simulation.compressed == 0)
    #expect(simulation.probes == 11)
    simulation.link = LinkRate(bytesPerSecond: 1e6)
    #expect(simulation.adaptive.chunkLength(.stored, link: simulation.link) == Self.chunk)
    #expect(simulation.adaptive.chunkLength(.zlib, link: nil) == Self.chunk)
    #expect(simulation.adaptive.chunkLength(.probe, link: simulation.link) == short)
    simulation.run(chunks: 10)
    #expect(simulation.compressed == 10)
  }

  @Test("A path that is not the limit is no reason to begin compressing")
  func idlePath() {
    var simulation = Decisions(linkRate: nil, compressorSpeed: 1e8, ratio: 0.3)
    simulation.link = LinkRate(bytesPerSecond: 1e6, isLimit: false, measurements: 0)
    simulation.run(chunks: 100)
    #expect(simulation.compressed == 0)
    simulation.link = LinkRate(bytesPerSecond: 1e6, isLimit: false, measurements: 3)
    simulation.run(chunks: 100)
    #expect(simulation.compressed == 0)
  }

  @Test("A path that the compressor does not fill is looked at with plain chunks, rarely and not for long")
  func looksAtThePath() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 10)
    simulation.link?.isLimit = false
    // In the first second a stream fills the buffers on the way.
    simulation.run(chunks: 900)
    #expect(simulation.stored == 0)
    simulation.run(chunks: 500)
    let most = AdaptiveCompression.linkProbeChunks
    #expect(simulation.stored == most)
    simulation.run(chunks: 10_000)
    // Each takes 32 ms here, and 1.6 s have to pass between two.
    #expect((most...7 * most).contains(simulation.stored))
  }

  @Test("A look at the path ends as soon as that was measured")
  func lookEndsEarly() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 1_010)
    simulation.link?.isLimit = false
    simulation.run(chunks: 6)
    #expect(simulation.stored > 0)
    simulation.link = LinkRate(bytesPerSecond: 1e6, isLimit: true, measurements: 3)
    simulation.run(chunks: 100)
    #expect(simulation.stored == 0)
  }

  @Test("One probe at a time, of as many chunks as are compressed at once, however late its results come")
  func oneProbeAtATime() {
    var adaptive = AdaptiveCompression(parallelism: 2)
    let link = LinkRate(bytesPerSecond: 1e6)
    #expect(adaptive.decide(link: link, now: 0) == .stored)
    #expect(adaptive.decide(link: link, now: 0) == .probe)
    #expect(adaptive.decide(link: link, now: 0) == .probe)
    for _ in 0..<1_000 { #expect(adaptive.decide(link: link, now: 0) == .stored) }
    adaptive.record(.probe, rawLength: 100, encodedLength: 20, seconds: 1e-6)
    adaptive.record(.probe, rawLength: 100, encodedLength: 20, seconds: 1e-6)
    #expect(adaptive.decide(link: link, now: 0) == .zlib)
  }

  @Test("The next stream begins with what is known")
  func knowledgeIsHandedOn() {
    var simulation = Decisions(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 10)
    var next = simulation.adaptive.forNextStream(parallelism: 1)
    #expect(next.decide(link: simulation.link, now: 0) == .zlib)
  }

  @Test("A clock that stood still, a rate of zero and empty output do no harm")
  func oddMeasurements() {
    var adaptive = AdaptiveCompression()
    #expect(adaptive.decide(link: LinkRate(bytesPerSecond: 0), now: 0) == .stored)
    #expect(adaptive.decide(link: LinkRate(bytesPerSecond: 0), now: 0) == .probe)
    adaptive.record(.probe, rawLength: 100, encodedLength: 0, seconds: 0)
    #expect(adaptive.decide(link: LinkRate(bytesPerSecond: 0), now: 0) == .stored)
    #expect(adaptive.decide(link: LinkRate(bytesPerSecond: .infinity), now: 0) == .stored)
    #expect(adaptive.decide(link: LinkRate(bytesPerSecond: 1e6), now: 0) == .zlib)
  }

  @Test("Modes describe themselves, and compare")
  func modes() {
    #expect(CompressionMode.on() == .on(level: 1))
    #expect(CompressionMode.on(level: 9) != .on(level: 1))
    #expect(CompressionMode.off != .automatic)
    #expect(
      "\(CompressionMode.off) \(CompressionMode.automatic) \(CompressionMode.on(level: 3))"
        == "off automatic on(level: 3)")
  }
}
