// Package window holds the arithmetic of windows: stretches of time, windowed keys and their bytes. It is pure: no clock,
// no store.
//
//	time ──────────────────────────────────────────►
//	        [ Span            )                        Key = the record's key and the Span its row belongs to
//	     start               end
//
// Rules say which windows a record falls into: Tumbling, Hopping and Unlimited make TimeWindows, Sliding SlidingWindows,
// Session SessionWindows; Within makes JoinWindows, which say which records of two streams meet.
//
// The key of a windowed table is Key[K]. In a topic it is written in Kafka Streams' formats:
//
//	KeySerde         key ‖ start int64              the end follows from the size of the windows
//	SessionKeySerde  key ‖ end int64 ‖ start int64
//
// Times are milliseconds since the epoch, big endian.
//
//	perMinute := topology.NewTopic("per-minute", window.KeySerde(serde.String, time.Minute), serde.Int64)
package window
