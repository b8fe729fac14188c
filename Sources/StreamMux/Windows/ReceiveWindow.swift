/// How far the peer may send on one stream.
///
/// The limit is `consumed + absorbed + window`: bytes that left the transport for good, bytes that are held
/// in an incomplete message and were nevertheless credited, and the window. It is told to the peer when at
/// least a quarter of the window became free since the last time (R-FLW-2, R-FLW-3, R-FLW-6).
package struct ReceiveWindow: Hashable, Sendable {
  /// Bytes that may be under way or waiting beyond what was consumed and absorbed.
  package private(set) var window: UInt32
  /// The limit that the peer knows. It never shrinks.
  package private(set) var advertised: UInt64
  /// Earlier limits that what arrived has not passed yet, in order. A sender that fills the window that it
  /// knows stops at one of these. They are quarters of a window apart, so there are few.
  private var olderLimits: [UInt64] = []
  /// Bytes that arrived.
  package private(set) var received: UInt64 = 0
  /// Bytes that left the transport for good.
  package private(set) var consumed: UInt64 = 0
  /// Bytes held in an incomplete message that were not credited.
  package private(set) var pendingAbsorption: Int = 0
  /// Positions of held bytes that were credited all the same, in order and disjoint. A message takes one
  /// range, and a new range is begun only for a quarter of a window, so there are few.
  private var absorbedRanges: [Range<UInt64>] = []
  /// Whether the next credited bytes belong to the message of the last range.
  private var lastRangeIsOpen = false

  package init(initial: UInt32) {
    window = initial
    advertised = UInt64(initial)
  }

  /// Bytes that were credited though they are held: they count against the assembly budget.
  package var absorbed: Int {
    absorbedRanges.reduce(0) { $0 + $1.count }
  }

  /// Bytes that arrived and were not consumed.
  package var held: Int { Int(clamping: received - consumed) }

  /// Bytes that the peer may still send.
  package var room: Int { Int(clamping: advertised - received) }

  /// The limit that the peer could be told now.
  private var target: UInt64 {
    let (sum, overflow) = consumed.addingReportingOverflow(UInt64(absorbed) + UInt64(window))
    return overflow ? .max : sum
  }

  private var quarter: UInt64 { max(1, UInt64(window) / 4) }

  /// Bytes arrived. False: they are more than the peer was allowed to send.
  package mutating func receive(_ count: Int) -> Bool {
    precondition(count >= 0)
    guard UInt64(count) <= advertised - received else { return false }
    received += UInt64(count)
    while let first = olderLimits.first, first <= received { olderLimits.removeFirst() }
    return true
  }

  /// Whether the next `count` bytes end exactly at a limit that the peer was told: then it could not send
  /// more, however much it had (R-LIM-6).
  package func isFilled(by count: Int) -> Bool {
    let end = received + UInt64(count)
    return end == advertised || olderLimits.contains(end)
  }

  /// Bytes left the transport for good. Returns how many of them had been absorbed, so that they no longer
  /// count against the assembly budget.
  package mutating func consume(_ count: Int) -> Int {
    assert(count >= 0 && count <= held, "consumed more than was received")
    let before = absorbed
    consumed += UInt64(max(0, min(count, held)))
    while let first = absorbedRanges.first, first.lowerBound < consumed {
      if first.upperBound <= consumed {
        absorbedRanges.removeFirst()
      } else {
        absorbedRanges[0] = consumed..<first.upperBound
      }
    }
    if absorbedRanges.isEmpty { lastRangeIsOpen = false }
    pendingAbsorption = min(pendingAbsorption, held - absorbed)
    return before - absorbed
  }

  /// Bytes are held in an incomplete message.
  package mutating func absorb(_ count: Int) {
    assert(count >= 0 && count <= held, "absorbed more than is held")
    // Less than `count` is left where a range of the message before reached into this one: those bytes are
    // credited already.
    pendingAbsorption += max(0, min(count, held - absorbed - pendingAbsorption))
  }

  /// Whether the incomplete message takes so much of the window that crediting it would send a CREDIT.
  /// Below that there is nothing to gain from the assembly turn.
  package var needsAssemblyTurn: Bool { UInt64(pendingAbsorption) >= quarter }

  /// Credits `count` of the pending bytes, which the assembly budget granted.
  ///
  /// The exact place of these bytes is known to the owner alone. They lie at the end of what arrived or
  /// before it; taking the end can only release them later than need be, never credit them twice.
  ///
  /// - Returns: bytes that were in fact credited: fewer where the places are taken already.
  package mutating func creditAbsorbed(_ count: Int) -> Int {
    precondition(count >= 0 && count <= pendingAbsorption)
    guard count > 0 else { return 0 }
    pendingAbsorption -= count
    let before = absorbed
    let wanted = UInt64(count)
    if lastRangeIsOpen, let last = absorbedRanges.popLast() {
      let floor = absorbedRanges.last?.upperBound ?? consumed
      let upwards = min(received - last.upperBound, wanted)
      let downwards = min(last.lowerBound - floor, wanted - upwards)
      absorbedRanges.append(last.lowerBound - downwards..<last.upperBound + upwards)
    } else {
      let floor = absorbedRanges.last?.upperBound ?? consumed
      let lower = received - min(received - floor, wanted)
      if lower < received {
        absorbedRanges.append(lower..<received)
        lastRangeIsOpen = true
      }
    }
    return absorbed - before
  }

  /// The message is complete: what was not credited is consumed in the usual way.
  package mutating func endAssembly() {
    pendingAbsorption = 0
    lastRangeIsOpen = false
  }

  /// The owner holds nothing any more.
  ///
  /// - Returns: bytes that had been absorbed and count against the assembly budget no longer.
  package mutating func dropHeld() -> Int {
    endAssembly()
    let dropped = absorbed
    absorbedRanges.removeAll()
    consumed = received
    return dropped
  }

  /// A smaller window takes back no credit that was given: the limit stands still until it fits again.
  package mutating func resize(to newWindow: UInt32) {
    window = newWindow
  }

  /// Bytes that are held or may still come without further credit, but for absorbed ones: what the window
  /// takes of the memory, also while it shrinks.
  package var promised: Int {
    max(Int(window), Int(clamping: advertised - min(advertised, released)))
  }

  /// Bytes that left the transport, or were credited as if they had.
  package var released: UInt64 { consumed + UInt64(absorbed) }

  /// Whether at least a quarter of the window became free since the last credit.
  package var isCreditDue: Bool { target >= advertised && target - advertised >= quarter }

  /// The limit to send now. The peer knows it from here on.
  package mutating func takeCredit() -> UInt64 {
    if target > advertised {
      if advertised > received { olderLimits.append(advertised) }
      advertised = target
    }
    return advertised
  }

  package func assertInvariants() {
    assert(consumed <= received && received <= advertised)
    assert(absorbed + pendingAbsorption <= held)
    assert(zip(absorbedRanges, absorbedRanges.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
  }
}
