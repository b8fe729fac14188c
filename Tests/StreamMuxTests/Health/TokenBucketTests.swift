import NIOCore
import StreamMux
import Testing

@Suite("A token bucket")
struct TokenBucketTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000)

  @Test("gives its burst at once and not one more")
  func burst() {
    var bucket = TokenBucket(burst: 3, perSecond: 10, now: start)
    #expect((0..<4).map { _ in bucket.take(now: start) } == [true, true, true, false])
  }

  @Test("gets back exactly its rate")
  func refill() {
    var bucket = TokenBucket(burst: 3, perSecond: 10, now: start)
    #expect(bucket.take(3, now: start) == true)
    #expect(bucket.take(now: start + .milliseconds(100) - .nanoseconds(1)) == false)
    #expect(bucket.take(now: start + .milliseconds(100)) == true)
    #expect(bucket.take(now: start + .milliseconds(100)) == false)
    // Parts of a token are not lost, however often it is asked.
    for step in 1...99 {
      #expect(bucket.take(now: start + .milliseconds(Int64(100 + step))) == false)
    }
    #expect(bucket.take(now: start + .milliseconds(200)) == true)
  }

  @Test("never holds more than its burst")
  func full() {
    var bucket = TokenBucket(burst: 2, perSecond: 1_000, now: start)
    let later = start + .hours(24 * 365 * 20)
    #expect(bucket.take(2, now: later) == true)
    #expect(bucket.take(now: later) == false)
  }

  @Test("takes nothing where too little is left")
  func allOrNothing() {
    var bucket = TokenBucket(burst: 5, perSecond: 1, now: start)
    #expect(bucket.take(6, now: start) == false)
    #expect(bucket.take(.max, now: start) == false)
    #expect(bucket.take(5, now: start) == true)
    #expect(bucket.take(0, now: start) == true)
  }

  @Test("gives nothing for a clock that goes backwards")
  func backwards() {
    var bucket = TokenBucket(burst: 1, perSecond: 1, now: start + .seconds(10))
    #expect(bucket.take(now: start) == true)
    #expect(bucket.take(now: start + .seconds(10)) == false)
    #expect(bucket.take(now: start + .seconds(11)) == true)
  }

  @Test("says when tokens will be there")
  func availability() throws {
    var bucket = TokenBucket(burst: 4, perSecond: 3, now: start)
    let full = bucket.availability(of: 4, now: start)
    #expect(full == start)
    let never = bucket.availability(of: 5, now: start)
    #expect(never == nil)
    #expect(bucket.take(4, now: start) == true)
    let availability = bucket.availability(of: 1, now: start)
    let due = try #require(availability)
    #expect(bucket.take(now: due - .nanoseconds(1)) == false)
    #expect(bucket.take(now: due) == true)
  }
}
