// Package layout says how the rows of each kind of store look in a task's database and in its changelog topic.
//
//	row        PREFIX KEY                        VALUE                   store.DB, in the order of KEY
//	             │  ▲                              │ ▲
//	      Record │  │ Rows                         │ │
//	             ▼  │                              ▼ │
//	record     KEY of Kafka Streams    VALUE of Kafka Streams, timestamp, headers
//
// A row's key is chosen for how the store is read; the changelog's bytes are those of Kafka Streams, so that state can be
// taken over in both directions. A KEY is row identity: one record per changed KEY and transaction is logged.
//
//	key-value   key                    time(8) value
//	window      start key              time(8) value      where starts are multiples of the windows' advance
//	            segment key start      time(8) value      where they are anywhere
//	session     segment key end start  time(8) value
//	both        0xff time… key         0                  the same rows in the order of time, if asked
//
// Numbers are big endian. A Format is stateless: rows follow from a record alone, so that a restore is a plain replay.
package layout
