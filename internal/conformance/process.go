package conformance

func (x stream[S, N, K, V]) process(n *Node) element { return nil }

func (x stream[S, N, K, V]) processValues(n *Node) element { return nil }

func (x stream[S, N, K, V]) joinTable(n *Node) element { return nil }

// counted reports whether Kafka Streams counts records that are dropped for a reason. Those without a key it filters out
// before a repartition topic, uncounted.
func counted(reason string) bool { return reason != "null-key-to-repartition" }
