internal import NIOCore

/// What the owner says about the bytes that it was given, and the credit that follows from it.
extension MuxConnection {
  /// How old the newest round trip may be while windows are sized by it.
  static let roundTripLife = TimeAmount.milliseconds(500)

  /// Bytes left the transport for good: the peer may send as many more (R-FLW-10).
  package mutating func consume(_ count: Int, of key: StreamKey) {
    guard !phase.isOver, isOwned(key), count > 0 else { return }
    let uncredited = streams[key].receiveWindow.consume(count)
    makeCreditDue(key)
    giveBackGrowth(key)
    if uncredited > 0 {
      assemblyTurn.uncredit(uncredited)
      creditHolder()
    }
    assertInvariants()
  }

  /// Further bytes are held in an incomplete message. If the stream has the assembly turn, or gets it, the
  /// peer may send as many more all the same; else they are remembered until it does.
  package mutating func absorb(_ count: Int, of key: StreamKey) {
    guard !phase.isOver, isOwned(key), count > 0, streams[key].receiving.wantsCredit else { return }
    streams[key].receiveWindow.absorb(count)
    if assemblyTurn.holder == key
      || (streams[key].receiveWindow.needsAssemblyTurn && assemblyTurn.request(key))
    {
      creditHolder()
    }
    assertInvariants()
  }

  /// The message is complete: the stream needs the assembly turn no longer.
  package mutating func assembled(_ key: StreamKey) {
    guard !phase.isOver, isOwned(key) else { return }
    endAssembly(key)
    assertInvariants()
  }

  /// Gives up the assembly turn, or the wait for it, and lets the next stream have it.
  mutating func endAssembly(_ key: StreamKey) {
    streams[key].receiveWindow.endAssembly()
    if assemblyTurn.giveUp(key) != nil { creditHolder() }
  }

  /// The owner holds nothing of the stream any more.
  mutating func dropHeld(_ key: StreamKey) {
    let uncredited = streams[key].receiveWindow.dropHeld()
    guard uncredited > 0 else { return }
    assemblyTurn.uncredit(uncredited)
    creditHolder()
  }

  /// Credits what the holder of the turn holds, as far as the budget goes.
  private mutating func creditHolder() {
    guard let key = assemblyTurn.holder, streams.contains(key) else { return }
    let granted = assemblyTurn.credit(upTo: streams[key].receiveWindow.pendingAbsorption)
    let credited = streams[key].receiveWindow.creditAbsorbed(granted)
    assemblyTurn.uncredit(granted - credited)
    makeCreditDue(key)
  }

  // MARK: Windows that grow

  /// Sizes the window anew when a DATA frame comes: an epoch of its stream may be over.
  mutating func resizeWindow(_ key: StreamKey, hasMore: Bool, now: NIODeadline) {
    let trafficClass = streams[key].opening.trafficClass
    guard trafficClass != .election, streams[key].holdsBudget, streams[key].receiving.wantsCredit,
      let roundTrip = path.recentMinimum
    else { return }
    refreshRoundTrip(now: now)
    let isFirst = hasMore && !streams[key].meter.hasBegun
    let window = streams[key].receiveWindow.window
    let rate = streams[key].meter.received(
      hasMore: hasMore, consumed: streams[key].receiveWindow.released, window: window,
      shortest: windowPolicy.shortestEpoch(roundTrip), now: now)
    if let rate, let highest = streams[key].meter.highestRate {
      path.consumed(rate, trafficClass)
      let next = windowPolicy.nextWindow(
        current: window, rate: highest, roundTrip: roundTrip, trafficClass: trafficClass)
      // R-FLW-38: windows that strangle the stream were computed from the round trip of a route that is gone.
      if streams[key].meter.resized(from: window, to: next), path.mayHaveBecomeLonger {
        path.forgetOldRoute()
      }
      resize(key, to: next)
    } else if isFirst, let known = path.rate(trafficClass) {
      resize(
        key,
        to: windowPolicy.firstWindow(
          rate: known, roundTrip: roundTrip, room: receiveBudget.roomToGrow, trafficClass: trafficClass))
    }
  }

  /// A connection that is never silent sends no keep-alive, and a window that was computed from the round trip of
  /// another route would keep the path half empty (R-FLW-37).
  private mutating func refreshRoundTrip(now: NIODeadline) {
    guard now - roundTripAsked >= Self.roundTripLife else { return }
    roundTripAsked = now
    control.appendPing(pings.send(.keepAlive, now: now))
  }

  private mutating func resize(_ key: StreamKey, to window: UInt32) {
    let reserved = Int(hello.initialWindow) + streams[key].grownWindow
    let granted = receiveBudget.grow(by: Int(window) - reserved)
    streams[key].grownWindow += granted
    streams[key].receiveWindow.resize(to: UInt32(min(Int(window), reserved + granted)))
    makeCreditDue(key)
  }

  /// A window that shrank holds its memory until the credit that was given is used up.
  private mutating func giveBackGrowth(_ key: StreamKey) {
    guard streams[key].grownWindow > 0 else { return }
    let needed = max(0, streams[key].receiveWindow.promised - Int(hello.initialWindow))
    guard needed < streams[key].grownWindow else { return }
    receiveBudget.shrink(by: streams[key].grownWindow - needed)
    streams[key].grownWindow = needed
    admitPending()
  }

  private mutating func makeCreditDue(_ key: StreamKey) {
    guard streams[key].receiving.wantsCredit, streams[key].receiveWindow.isCreditDue else { return }
    makeDue(.credit, key)
  }
}
