#if DEBUG
  import RaftTransport
  import RaftTransportTesting
  import Testing

  /// What the simulation is worth: faults that were built in on purpose are found.
  @Suite("Faults that are planted in the product")
  struct PlantedFaultTests {
    /// The seeds that are tried until one finds the fault.
    static let seeds: ClosedRange<UInt64> = 1...12

    /// Faults that these seeds do not find, since another safeguard of the product mends what they do before anybody is
    /// the worse for it.
    ///
    /// - `takesDuplicateForFailure`: the winner mostly stands before the refusal comes, and waiting calls are on it then.
    /// - `leavesMailboxOpen`: the driver of a connection that is over refuses what comes, as the mailbox would have done.
    static let escaping: Set<PlantedFault> = [
      .takesDuplicateForFailure, .leavesMailboxOpen,
    ]

    @Test("the simulation finds each of them", arguments: Set(PlantedFault.allCases).subtracting(escaping))
    func finds(fault: PlantedFault) {
      let finder = Self.seeds.first { seed in
        !ClusterSimulation(SimulationOptions(seed: seed, plantedFault: fault)).run().problems.isEmpty
      }
      #expect(finder != nil, "no seed of \(Self.seeds) finds \(fault)")
    }
  }
#endif
