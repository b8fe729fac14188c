extension TransportConfiguration {
  /// How much peers may send ahead of this server's handlers.
  ///
  /// Each stream starts with ``initial``. A stream whose sender has more to send gets a larger window as the path and
  /// the handler ask for it: twice what is consumed in a round trip, up to the largest of its class. A path of a rate
  /// and a round trip is filled by a window of twice their product: 16 MiB are 670 Mb/s at 100 ms, and 64 MiB are
  /// 2.7 Gb/s.
  ///
  /// What windows cost is memory, and only while bytes wait for their handlers: at most ``receiveBudget`` on each
  /// connection, beside the elections' `electionStreams * initial`.
  public struct Windows: Sendable, Hashable {
    /// What a peer may send on a new stream before anything was consumed, in bytes, 16 KiB to 64 MiB.
    public var initial: Int

    /// The largest window of an AppendEntries stream, in bytes, from ``initial`` to 1 GiB. With ``initial`` itself,
    /// windows do not grow.
    public var largestForAppends: Int

    /// The largest window of a snapshot, in bytes, from ``initial`` to 1 GiB. With ``initial`` itself, windows do not
    /// grow.
    public var largestForSnapshots: Int

    /// The windows of all streams of a connection together but those of elections, in bytes, from ``initial`` to
    /// 1 TiB. Streams whose ``initial`` does not fit are refused. Windows take at most half of it to grow, so the
    /// other half is for streams to come.
    public var receiveBudget: Int

    /// 256 KiB at first, up to 16 MiB for appends and 64 MiB for snapshots, 128 MiB in all.
    public static let defaults = Windows()

    /// Windows with defaults for everything that is not named.
    public init(
      initial: Int = 256 << 10,
      largestForAppends: Int = 16 << 20,
      largestForSnapshots: Int = 64 << 20,
      receiveBudget: Int = 128 << 20
    ) {
      self.initial = initial
      self.largestForAppends = largestForAppends
      self.largestForSnapshots = largestForSnapshots
      self.receiveBudget = receiveBudget
    }
  }

  /// When frames carry a checksum of their own, beside TCP's. Both sides must want them, or there are none.
  public enum FrameChecksums: Sendable, Hashable, CaseIterable {
    /// Between machines, where TCP's sixteen bits are all that stands between a broken network card and the log; not
    /// on loopback, where nothing can break, nor inside TLS, which has something better.
    case automatic
    /// On loopback, too.
    case always
    /// Nowhere: for networks that have something better, such as IPsec.
    case never
  }
}
