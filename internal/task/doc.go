// Package task runs one partition group through one subtopology. It is a pure core: no goroutine, clock or socket.
// Records, ends of partitions and the time of day come in by calls; outputs, changelog records and offsets go out by
// calls of the functions in Config. The running application, the test driver and simulated faults all drive this code.
//
//	          Add, SetEnd, Resume
//	                  │
//	   ┌──────────────▼─────────────┐   Ready: may a record be taken up now?
//	   │ inputs, one per partition  │
//	   └──────────────┬─────────────┘
//	 smallest head    │ Process           Punctuate: due timers
//	   ┌──────────────▼─────────────┐
//	   │  operators, fused          │──► Send
//	   │      ▲ │                   │
//	   │      │ ▼ store.DB          │
//	   └──────────────┬─────────────┘
//	                  │ commit
//	                  ▼
//	Emit ─► Changelog ─► Offsets ─► (transaction, DB.Commit) ─► Committed
//	                              └─► (transaction lost, DB.Abort) ─► Abort ─► Resume
//
// The smallest driver:
//
//	t, err := task.New(config)
//	t.Resume(tp, 0, "")
//	t.Add(tp, records, next)
//	for {
//		if ok, _, _ := t.Ready(); !ok {
//			break
//		}
//		if _, err := t.Process(100); err != nil {
//			return err // abort the transaction
//		}
//	}
//	if t.Dirty() {
//		err := t.Emit()
//		t.Changelog(produce)
//		offsets := t.Offsets()
//		// commit outputs, changelog and offsets together, then the databases
//		t.Committed()
//	}
//
// # Calls
//
// Steps that wait for calls of user code (graph.Node.Async) find them answered: Calls hands out what buffered records want
// called, and Asked.Answered takes the outcome. A record whose calls are not answered is not taken up.
//
// # Time
//
// The event time of a record is what its source says, or its timestamp. The task takes up the record with the smallest
// event time among the heads of its inputs; partition time and stream time are the highest event times taken up, of an
// input and of the task. Both travel in the metadata of committed offsets, in Kafka Streams' format, and survive a restart.
//
// # Failures
//
// A record that fails is judged by an error policy. Whatever the verdict, half of a record's effects never stay: either
// the whole transaction is aborted, or the task goes back to the savepoint it took before the record. Savepoints cost
// something, and are taken only when some policy could ask for them.
package task
