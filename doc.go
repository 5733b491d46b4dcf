// Package millrace runs a topology: stateful stream processing on Kafka and nothing but Kafka.
//
// A process embeds an App. It joins the consumer group named by the application id, reads the topology's source topics,
// keeps state in local stores that are mirrored to changelog topics, and writes its results to topics. Outputs, changes of
// state and consumed offsets are committed together in one Kafka transaction. More processes with the same application
// id share the work; a process that is killed and started again goes on where Kafka says it was.
//
//	                    ┌────────────────────── App ───────────────────────┐
//	source topics ────► │ reader ──► worker: tasks ──► transactional       │ ────► topics
//	                    │            worker: tasks      producers          │ ────► changelogs, offsets
//	 consumer group ◄──►│ group        │ ▲                                 │
//	                    └──────────────┼─┼─────────────────────────────────┘
//	                                   ▼ │ restore
//	                              stores on disk
//
// The smallest program:
//
//	b := topology.NewBuilder()
//	kstream.From(b, lines).MapValues(strings.ToUpper).To(shouts)
//	top, err := b.Build()
//	…
//	app, err := millrace.New(top, millrace.Config{ApplicationID: "shout", Brokers: []string{"localhost:9092"}})
//	…
//	err = app.Run(ctx) // until ctx ends
//
// Run's errors are typed and say what to do: *ConfigError, *TopicError, *UnreachableError, *topology.RecordError,
// ErrFenced, ErrOffsetsLost. App.Ready says why an app is not running yet, and Config.Events tells what happens.
//
// What each guarantee means is written at Guarantee. Topologies are made with packages kstream, ktable and topology, and
// tested without Kafka with package kstest.
package millrace
