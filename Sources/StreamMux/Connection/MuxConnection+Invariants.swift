/// What must hold between any two calls. Checked in debug builds after every call, so it has to be cheap:
/// of the streams one is looked at each time, not all.
extension MuxConnection {
  func assertInvariants() {
    assert(invariantsHold())
  }

  private func invariantsHold() -> Bool {
    if phase == .closed {
      assert(!hasTransmission)
      return true
    }
    if !phase.isOver {
      assert(receiveBudget.reserved <= receiveBudget.limit, "more windows promised than there is memory")
      assert(assemblyTurn.credited <= assemblyTurn.budget, "more assembled than there is memory")
      assert(pendingOpens.count <= pendingOpens.capacity)
      assert(refusedStreams >= 0 && refusedStreams <= configuration.limits.maximumControlFrames)
      assert(counts.streams.total <= streams.count)
      assert(scheduler.count <= 2 * streams.count + 130, "forgotten streams pile up in the scheduler")
    }
    if let incoming, !phase.isOver {
      assert(streams.contains(incoming.key), "bytes are coming in for a stream that is forgotten")
    }
    if let key = streams.sample(UInt64(events.count) &+ counts.bytesReceived &+ counts.bytesSent) {
      checkStream(key)
    }
    return true
  }

  private func checkStream(_ key: StreamKey) {
    let stream = streams[key]
    stream.receiveWindow.assertInvariants()
    guard !phase.isOver else { return }
    assert(
      !stream.holdsBudget || stream.opening.trafficClass == .election
        || stream.receiveWindow.promised <= Int(hello.initialWindow) + stream.grownWindow,
      "more promised to a stream than it holds of the budget")
    assert(!stream.isForgettable, "a stream that is over is still here")
    assert(stream.id == 0 || streams.key(ofID: stream.id) == key)
    assert(stream.id != 0 || stream.isOwn)
    assert(stream.isScheduled || !stream.isSendable, "a stream that could send waits for nothing")
    assert(stream.due.isEmpty || stream.isInControlQueue || stream.id == 0)
    assert(stream.sendWindow.sent <= stream.sendWindow.limit)
  }
}
