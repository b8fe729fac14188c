internal import DequeModule
internal import NIOCore

/// When the bytes of one direction of a link come out: a queue, a wire and a delay line, without any bytes.
///
/// It is pure: what it says follows from the times that it is told. Nothing depends on when it is asked, so
/// whoever asks late catches up, and timers need not be exact for the rate to be.
///
/// Its own time is the link's age, less what the link has stood still.
struct LinkPacing {
  /// Bytes that came out at the far end.
  struct Arrival: Equatable {
    let flow: Int
    /// 0: the end of the flow.
    let count: Int
  }

  /// Bytes of one flow, in the queue or on the way.
  private struct Piece {
    let flow: Int
    var count: Int
  }

  /// What a wire carries in this time comes out at once.
  private static let granularity = 500_000
  /// Nor is less than a packet of the usual size cut into pieces.
  private static let leastPiece = 1448

  private(set) var profile: LinkProfile
  /// Bytes that wait for the wire.
  private(set) var queuedBytes = 0
  /// Bytes that have left the queue and have not come out.
  private(set) var bytesInFlight = 0

  private var waiting: Deque<Piece> = []
  private var flying: Deque<(piece: Piece, due: Int)> = []
  /// The piece size for the profile's rate.
  private var pieceBytes = 0
  /// Until when the wire is taken by what went before, in nanoseconds.
  private var wireFree = 0
  /// What division left of a byte's time, in `1 / rate` of a nanosecond.
  private var remainder = 0
  private var lastDue = 0

  private let birth: NIODeadline
  private var stoodStillFor = 0
  private var standsStillSince: Int?

  init(profile: LinkProfile, now: NIODeadline) {
    self.profile = profile
    self.birth = now
    self.pieceBytes = Self.pieceBytes(of: profile)
  }

  /// Whether more may come in.
  var hasRoom: Bool { self.room > 0 }

  /// Bytes that may come in.
  var room: Int {
    let held = self.profile.bytesPerSecond == nil ? self.queuedBytes + self.bytesInFlight : self.queuedBytes
    return self.profile.queueBytes - held
  }

  /// Bytes of a flow come in, or its end; the caller has seen to it that there was room.
  mutating func offer(_ count: Int, of flow: Int, now: NIODeadline) {
    self.advance(now: now)
    self.queuedBytes += count
    // Many small pieces of one flow are one; but the first may be on the wire in part.
    if count > 0, self.waiting.count > 1, let last = self.waiting.last, last.flow == flow, last.count > 0 {
      self.waiting[self.waiting.count - 1].count += count
    } else {
      self.waiting.append(Piece(flow: flow, count: count))
    }
    self.advance(now: now)
  }

  /// What has come out by now, in order; `nil` when there is nothing more.
  mutating func nextArrival(now: NIODeadline) -> Arrival? {
    guard self.standsStillSince == nil else { return nil }
    self.advance(now: now)
    guard let first = self.flying.first, first.due <= self.time(now) else { return nil }
    self.flying.removeFirst()
    self.bytesInFlight -= first.piece.count
    return Arrival(flow: first.piece.flow, count: first.piece.count)
  }

  /// When something comes out next, or, if somebody waits for room, when there is more of that.
  func nextChange(roomIsWanted: Bool) -> NIODeadline? {
    guard self.standsStillSince == nil else { return nil }
    var earliest = self.flying.first?.due
    if let next = self.nextDeparture {
      if roomIsWanted { earliest = min(earliest ?? next, next) }
      let due = self.due(next)
      earliest = min(earliest ?? due, due)
    }
    return earliest.map { self.birth + .nanoseconds(Int64($0 + self.stoodStillFor)) }
  }

  /// Another profile from now on. What is on the way keeps its time.
  mutating func change(to profile: LinkProfile, now: NIODeadline) {
    self.advance(now: now)
    self.profile = profile
    self.pieceBytes = Self.pieceBytes(of: profile)
    self.remainder = 0
  }

  /// Time stops for everything in the link, or goes on.
  mutating func standStill(_ standsStill: Bool, now: NIODeadline) {
    if standsStill, self.standsStillSince == nil {
      self.advance(now: now)
      self.standsStillSince = self.time(now)
    } else if !standsStill, let since = self.standsStillSince {
      self.standsStillSince = nil
      self.stoodStillFor += self.time(now) - since
    }
  }

  /// Puts on the wire what the wire had time for.
  private mutating func advance(now: NIODeadline) {
    let time = self.time(now)
    while let departure = self.nextDeparture, departure <= time {
      let count = min(self.waiting[0].count, self.pieceBytes)
      let piece = Piece(flow: self.waiting[0].flow, count: count)
      self.remainder = self.transmission(of: count).remainder
      self.wireFree = departure
      self.lastDue = self.due(departure)
      self.waiting[0].count -= count
      if self.waiting[0].count == 0 { self.waiting.removeFirst() }
      self.queuedBytes -= count
      self.bytesInFlight += count
      if count > 0, let last = self.flying.last, last.due == self.lastDue, last.piece.flow == piece.flow,
        last.piece.count > 0
      {
        self.flying[self.flying.count - 1].piece.count += count
      } else {
        self.flying.append((piece, self.lastDue))
      }
    }
    if self.waiting.isEmpty, self.wireFree < time {
      self.wireFree = time
      self.remainder = 0
    }
  }

  /// When the first piece in the queue is on the wire as a whole.
  private var nextDeparture: Int? {
    guard let first = self.waiting.first else { return nil }
    return self.afterStall(self.wireFree) + self.transmission(of: min(first.count, self.pieceBytes)).quotient
  }

  private func transmission(of count: Int) -> (quotient: Int, remainder: Int) {
    guard let rate = self.profile.bytesPerSecond else { return (0, 0) }
    return (count * 1_000_000_000 + self.remainder).quotientAndRemainder(dividingBy: rate)
  }

  /// When what has departed comes out.
  private func due(_ departure: Int) -> Int {
    max(self.lastDue, departure + Self.nanoseconds(self.profile.delay) + self.jitter(at: departure))
  }

  private func jitter(at time: Int) -> Int {
    let most = Self.nanoseconds(self.profile.jitter)
    guard most > 0 else { return 0 }
    let period = UInt64(time / max(most, 1_000_000))
    return Int(Self.mixed(self.profile.seed ^ Self.mixed(period &+ 1)) % UInt64(most + 1))
  }

  /// A time as it is, or the end of the stall that it lies in.
  private func afterStall(_ time: Int) -> Int {
    guard let stalls = self.profile.stalls else { return time }
    let interval = Self.nanoseconds(stalls.interval)
    let length = Self.nanoseconds(stalls.length)
    let since = time % interval
    return time >= interval && since < length ? time - since + length : time
  }

  private func time(_ now: NIODeadline) -> Int {
    self.standsStillSince ?? max(0, Int((now - self.birth).nanoseconds) - self.stoodStillFor)
  }

  private static func pieceBytes(of profile: LinkProfile) -> Int {
    guard let rate = profile.bytesPerSecond else { return .max }
    return max(self.leastPiece, Int(Double(rate) * Double(self.granularity) / 1e9))
  }

  private static func nanoseconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    return Int(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// The output function of SplitMix64 (Steele, Lea and Flood 2014).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
