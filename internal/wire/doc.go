// Package wire holds the byte formats of what internal topics carry beside plain records: those of Kafka Streams, so that
// the state of a stopped application can be taken over and behaviour compared byte for byte.
//
//	repartition topic of a regrouped table   key              Change        old and new value of a row
//	subscription registration topic          foreign key      Subscription  who wants to hear of the foreign key
//	subscription store and its changelog     Combined key     Subscription
//	subscription response topic              primary key      Response      the row of the foreign key
//
// Numbers are big endian. Appending and decoding allocate nothing; what is decoded refers to the bytes it was decoded from.
//
//	b := wire.AppendChange(nil, wire.Change{New: []byte("v"), HasNew: true}) // 'v' 1
package wire
