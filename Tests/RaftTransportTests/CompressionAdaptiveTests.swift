import Testing

@testable import RaftTransport

@Suite("Adaptive compression")
struct CompressionAdaptiveTests {
  private static let chunk = 262_144

  /// A link and a compressor in virtual time.
  private struct Simulation {
    var adaptive: AdaptiveCompression
    var linkRate: Double?
    var compressorSpeed: Double
    var ratio: Double
    var compressed = 0
    var stored = 0
    var probes = 0

    init(linkRate: Double?, compressorSpeed: Double, ratio: Double, parallelism: Int = 1) {
      adaptive = AdaptiveCompression(parallelism: parallelism)
      self.linkRate = linkRate
      self.compressorSpeed = compressorSpeed
      self.ratio = ratio
    }

    mutating func run(chunks: Int) {
      (compressed, stored, probes) = (0, 0, 0)
      for _ in 0..<chunks {
        let decision = adaptive.decide(linkRate: linkRate)
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

  @Test("Compression is used where it is faster by 5 %, from the second chunk on", arguments: cases)
  func decision(_ item: Case) {
    var simulation = Simulation(
      linkRate: item.linkRate, compressorSpeed: item.compressorSpeed, ratio: item.ratio,
      parallelism: item.parallelism)
    simulation.run(chunks: 1)
    #expect(simulation.probes == 1)
    simulation.run(chunks: 1_000)
    #expect(item.compresses ? simulation.compressed == 1_000 : simulation.compressed == 0)
  }

  @Test(
    "Probes of what does not pay cost at most 1 % of the link's time, or one chunk in nine",
    arguments: [1e6, 1e8, 1e9, 1e10])
  func probesAreRare(linkRate: Double) {
    var simulation = Simulation(linkRate: linkRate, compressorSpeed: 1e8, ratio: 1)
    simulation.run(chunks: 1)
    simulation.run(chunks: 100_000)
    let probeTime = Double(simulation.probes * Self.chunk) / 1e8
    let linkTime = Double(simulation.stored * Self.chunk) / linkRate
    #expect(simulation.probes >= 100_000 / 4_097)
    #expect(simulation.probes <= 100_000 / 9 + 1)
    #expect(probeTime <= 0.011 * linkTime || simulation.probes <= 100_000 / 4_096 + 1)
  }

  @Test("When random data becomes text, the next probe turns compression on")
  func recoversWhenDataChanges() {
    var simulation = Simulation(linkRate: 1e6, compressorSpeed: 1e8, ratio: 1)
    simulation.run(chunks: 100)
    #expect(simulation.compressed == 0)
    simulation.ratio = 0.9
    simulation.run(chunks: 9)
    #expect(simulation.probes == 1)
    simulation.run(chunks: 100)
    #expect(simulation.compressed == 100)
  }

  @Test("When text becomes random data, compression stops within some chunks")
  func stopsWhenDataChanges() {
    var simulation = Simulation(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.2)
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
    var simulation = Simulation(linkRate: 1e6, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 10)
    simulation.linkRate = 1e9
    simulation.run(chunks: 50)
    #expect(simulation.compressed == 0)
    simulation.linkRate = 1e6
    simulation.run(chunks: 50)
    #expect(simulation.compressed == 50)
  }

  @Test("While the path's rate is unknown chunks go plain, but for probes")
  func unknownRate() {
    var simulation = Simulation(linkRate: nil, compressorSpeed: 1e8, ratio: 0.3)
    simulation.run(chunks: 1 + 65 * 10)
    #expect(simulation.compressed == 0)
    #expect(simulation.probes == 11)
    simulation.linkRate = 1e6
    simulation.run(chunks: 10)
    #expect(simulation.compressed == 10)
  }

  @Test("One probe at a time, however late its result comes")
  func oneProbeAtATime() {
    var adaptive = AdaptiveCompression()
    #expect(adaptive.decide(linkRate: 1e6) == .probe)
    for _ in 0..<1_000 { #expect(adaptive.decide(linkRate: 1e6) == .stored) }
    adaptive.record(.probe, rawLength: 100, encodedLength: 20, seconds: 1e-6)
    #expect(adaptive.decide(linkRate: 1e6) == .zlib)
  }

  @Test("A clock that stood still, a rate of zero and empty output do no harm")
  func oddMeasurements() {
    var adaptive = AdaptiveCompression()
    #expect(adaptive.decide(linkRate: 0) == .probe)
    adaptive.record(.probe, rawLength: 100, encodedLength: 0, seconds: 0)
    #expect(adaptive.decide(linkRate: 0) == .stored)
    #expect(adaptive.decide(linkRate: .infinity) == .stored)
    #expect(adaptive.decide(linkRate: 1e6) == .zlib)
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
