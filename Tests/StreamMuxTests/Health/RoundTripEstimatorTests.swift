import NIOCore
import StreamMux
import Testing

@Suite("The round trip")
struct RoundTripEstimatorTests {
  @Test("is unknown until it was measured")
  func unknown() {
    let estimator = RoundTripEstimator()
    #expect(estimator.smoothed == nil && estimator.minimum == nil && estimator.latest == nil)
  }

  // R-LIV-9
  @Test("starts and moves as RFC 6298 computes by hand")
  func byHand() {
    var estimator = RoundTripEstimator()
    estimator.sample(.microseconds(8_000))
    #expect(estimator.smoothed == .microseconds(8_000))
    #expect(estimator.variation == .microseconds(4_000))
    // Deviation 8,000: 3/4 x 4,000 + 1/4 x 8,000; 7/8 x 8,000 + 1/8 x 16,000.
    estimator.sample(.microseconds(16_000))
    #expect(estimator.variation == .microseconds(5_000))
    #expect(estimator.smoothed == .microseconds(9_000))
    // Deviation 8,000: 3/4 x 5,000 + 1/4 x 8,000; 7/8 x 9,000 + 1/8 x 1,000.
    estimator.sample(.microseconds(1_000))
    #expect(estimator.variation == .microseconds(5_750))
    #expect(estimator.smoothed == .microseconds(8_000))
    #expect(estimator.minimum == .microseconds(1_000))
    #expect(estimator.latest == .microseconds(1_000))
  }

  @Test("settles on a steady path")
  func steady() throws {
    var estimator = RoundTripEstimator()
    estimator.sample(.milliseconds(500))
    for _ in 0..<200 { estimator.sample(.milliseconds(20)) }
    let smoothed = try #require(estimator.smoothed)
    #expect(abs(smoothed.nanoseconds - 20_000_000) < 100)
    #expect(estimator.variation < .microseconds(1))
    #expect(estimator.minimum == .milliseconds(20))
  }

  @Test("is not negative for a clock that goes backwards")
  func backwards() {
    var estimator = RoundTripEstimator()
    estimator.sample(.seconds(-1))
    #expect(estimator.smoothed == .zero && estimator.minimum == .zero)
  }
}
