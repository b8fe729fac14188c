/// What the owner says about the bytes that it was given, and the credit that follows from it.
extension MuxConnection {
  /// Bytes left the transport for good: the peer may send as many more (R-FLW-10).
  package mutating func consume(_ count: Int, of key: StreamKey) {
    guard !phase.isOver, isOwned(key), count > 0 else { return }
    let uncredited = streams[key].receiveWindow.consume(count)
    let window = windowPolicy.nextWindow(
      current: streams[key].receiveWindow.window, trafficClass: streams[key].opening.trafficClass, path: path)
    streams[key].receiveWindow.grow(to: window)
    makeCreditDue(key)
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

  private mutating func makeCreditDue(_ key: StreamKey) {
    guard streams[key].receiving.wantsCredit, streams[key].receiveWindow.isCreditDue else { return }
    makeDue(.credit, key)
  }
}
