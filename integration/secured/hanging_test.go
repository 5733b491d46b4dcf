package secured

import (
	"context"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kafkatest"
)

// Two transactions that Kafka itself will never end, since no coordinator knows of them: one in an input, one that holds an offset
// of the group. The app names both, and the command it gives ends them, run as it is.
func TestHangingTransactionsAreNamedAndEndedByTheCommandThatIsSaid(t *testing.T) {
	tool := tools(t)
	// Since KIP-890 brokers ask the coordinator before they let a transaction in; without that they are as they were before.
	c := kafkatest.Start(t, kafkatest.Property("transaction.partition.verification.enable", "false"), kafkatest.OrSkip())
	const app = "hanging"
	c.CreateTopics(3, app+".in", app+".out")
	z := newZombie(t, c)
	z.produce(app+".in", 1)
	z.holdOffset(app, app+".in", 2)
	const words, each = 6, 2
	write(c, app, words, each) // behind the transaction, too

	conf := appConfig(t, c, app)
	conf.TransactionTimeout = time.Second
	hanging := make(chan millrace.HangInfo, 10)
	conf.Events = &millrace.Events{Hanging: func(h millrace.HangInfo) { hanging <- h }}
	_, stop := run(t, conf)
	for named := map[int32]bool{}; !named[1] || !named[2]; {
		h := await(t, "word of a hanging transaction", hanging)
		if h.Topic != app+".in" || named[h.Partition] {
			t.Fatalf("%+v; want partitions 1 and 2 of %s.in, once", h, app)
		}
		log := h.Topic
		if named[h.Partition] = true; h.Partition == 2 {
			log = "__consumer_offsets"
		}
		if h.LogTopic != log || h.ProducerID != z.id || h.Offset < 0 || h.For < conf.TransactionTimeout {
			t.Errorf("%+v; want producer %d in %s", h, z.id, log)
		}
		_, command, ok := strings.Cut(h.Remedy, "kafka-transactions.sh ")
		if !ok {
			t.Fatalf("%+v has no command", h)
		}
		tool("org.apache.kafka.tools.TransactionsCommand", strings.Fields(command)...)
	}
	counted(t, c, app, words, each)
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// A zombie is a producer that writes into partitions which its coordinator was never told of, as a request does that was late on the
// network, and comes after the transaction has ended (KIP-890).
type zombie struct {
	t      *testing.T
	cl     *kgo.Client
	id     int64
	epoch  int16
	leader int32
}

const zombieID = "zombie"

func newZombie(t *testing.T, c *kafkatest.Cluster) *zombie {
	t.Helper()
	cl, err := kgo.NewClient(append(c.Options(), kgo.TransactionalID(zombieID), kgo.MaxVersions(kversion.V3_7_0()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	z := &zombie{t: t, cl: cl, leader: c.Nodes()[0]}
	if z.id, z.epoch, err = cl.ProducerID(t.Context()); err != nil {
		t.Fatal(err)
	}
	return z
}

// produce writes one record.
func (z *zombie) produce(topic string, partition int32) {
	z.t.Helper()
	record := kmsg.NewRecord()
	record.Key, record.Value = []byte("never"), []byte("never")
	raw := record.AppendTo(nil)
	record.Length = int32(len(raw) - 1) // a length of one byte
	batch := kmsg.NewRecordBatch()
	batch.Magic, batch.Attributes, batch.NumRecords = 2, 0x10, 1 // transactional
	batch.PartitionLeaderEpoch, batch.ProducerID, batch.ProducerEpoch = -1, z.id, z.epoch
	batch.FirstTimestamp, batch.MaxTimestamp = time.Now().UnixMilli(), time.Now().UnixMilli()
	batch.Records = record.AppendTo(nil)
	const lengthEnds, crcBegins, crcEnds = 12, 17, 21
	batch.Length = int32(len(batch.AppendTo(nil)) - lengthEnds)
	batch.CRC = int32(crc32.Checksum(batch.AppendTo(nil)[crcEnds:], crc32.MakeTable(crc32.Castagnoli)))

	req := kmsg.NewPtrProduceRequest()
	txn := zombieID
	req.TransactionID, req.Acks, req.TimeoutMillis = &txn, -1, 10_000
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Partition, rp.Records = partition, batch.AppendTo(nil)
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	answer, err := z.cl.Broker(int(z.leader)).RetriableRequest(z.t.Context(), req)
	if err == nil {
		err = kerr.ErrorForCode(answer.(*kmsg.ProduceResponse).Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		z.t.Fatalf("the zombie cannot write to %s/%d: %v", topic, partition, err)
	}
}

// holdOffset commits a group's offset of a partition in the transaction.
func (z *zombie) holdOffset(group, topic string, partition int32) {
	z.t.Helper()
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch, req.Generation = zombieID, group, z.id, z.epoch, -1
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	rp.Partition = partition
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	ctx, cancel := context.WithTimeout(z.t.Context(), time.Minute)
	defer cancel()
	for {
		answer, err := req.RequestWith(ctx, z.cl)
		if err == nil {
			err = kerr.ErrorForCode(answer.Topics[0].Partitions[0].ErrorCode)
		}
		switch {
		case err == nil:
			return
		case !kerr.IsRetriable(err) || ctx.Err() != nil:
			z.t.Fatalf("the zombie cannot commit an offset of %s: %v", group, err)
		}
	}
}
