// Package metamorphic runs random topologies on random input in many ways, all of which must commit the same: with commits at
// any place, as one task or several, on any number of partitions, with stores in memory or on Pebble, and with restarts from
// changelogs, from stores as they were closed, and from stores as they were earlier.
//
//	seed ──► Generate ──► Case: topology (in the language of conformance), steps, sinks ──► the oracle: maps and loops
//	                        │                                                                   │
//	                        ├──► Run plainly: a commit behind each record, in memory ──► Result ┤ agree, compare
//	                        ├──► Run in variants: commits, stores, tasks, restarts ────► Result ┤
//	                        └──► Deploy: brokers, processes, workers, kills, moves ────► Result ┘
//
//	r := &metamorphic.Runner{Engine: engine, Dir: dir}
//	if f := r.Check(seed, 3, true); f != nil {
//		fmt.Println(f) // the smallest topology, input and variant found that show it
//	}
//
// # Deployed
//
// Run drives a case on one goroutine with kstest, and so thousands of times in a minute. Deploy has the app itself do it: group,
// restore, transactions and all, on brokers of kfake. What a task reads first is then known only of records that lie there before
// it looks, or come from one topic; so input comes in pieces for which it does not matter, each when the app has nothing
// left to do. That is known, not waited for: no transaction is open, all that tasks read is committed, and nothing was
// written while one looked.
//
// # The oracle
//
// It computes what each sink must have from the whole input, and shares no code with what it checks. It claims: aggregations of
// streams and of regrouped tables, tumbling, hopping, sliding and session windows with their grace, joins of streams, of streams and
// tables, of tables, and by foreign key, and stateless steps around them. What it claims of each is said where it computes it. Where
// Kafka Streams has peculiar rules, such as when unmatched records are looked for, they are the oracle's too.
//
// # What is compared
//
// A sink has a level. Where one task writes all, in an order that nothing can change, it is compared whole; where each key
// comes from one task, key by key; where several tasks feed a topic at their own pace, as a set; and of tables that forward once
// per commit, the last value of each key. Stores are compared where their rows depend on nothing but the input, and again
// after a restart, which must change nothing.
//
// # What is left out
//
// Some results depend on commits, as they do in Kafka Streams, and topologies are made without them: inner joins of tables that
// both forward once per commit (rows deleted on both sides at once stay), joins of a table that forwards at once with one that
// does not, sessions that have expired in cached stores, and inner foreign-key joins whose rows change again before they were
// answered.
package metamorphic
