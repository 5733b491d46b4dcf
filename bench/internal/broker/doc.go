// Package broker is the Kafka broker as the benchmarks use it: it loads inputs, watches a group's offsets, and reads
// outputs back.
//
//	b, err := broker.Dial(ctx, []string{"localhost:9092"})
//	err = b.Create(ctx, "in", "out")
//	err = b.Load(ctx, "in", w.Stream(n, start))
//	// … an engine works …
//	err = b.Verify(ctx, "out", w.Checker(n, start, true))
package broker
