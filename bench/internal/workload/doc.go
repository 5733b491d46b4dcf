// Package workload says what goes into each workload of the benchmarks and checks what comes out of it.
//
// Every record is a function of its number, and its number can be read back from the record: so any output can be
// compared in full with what is expected, without keeping the input.
//
//	number i ─► key(i), value(i) ─► engine ─► output ─► number i ─► compare
//
// The smallest use:
//
//	w, _ := workload.Named("count-1k")
//	in := w.Stream(1_000_000, startMS)   // in.Fill(i, &record) for i in [0, in.Records)
//	c := w.Checker(1_000_000, startMS, true)
//	err := c.Check(output)               // for each output record, partition by partition
//	err = c.Complete()                   // nothing is missing
package workload
