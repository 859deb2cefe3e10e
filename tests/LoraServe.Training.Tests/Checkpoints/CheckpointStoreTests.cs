using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using LoraServe.Training.Checkpoints;

namespace LoraServe.Training.Tests.Checkpoints;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("loraserve-checkpoints-");

    private string Folder => Path.Combine(_parent.FullName, "run");

    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public void Load_OfWhatWasSaved_IsTheSameBits()
    {
        float[] bits = [0f, -0f, 1e-45f, float.MaxValue, float.NaN, float.NegativeInfinity, 1 / 3f];
        var arrays = new Dictionary<string, float[]> { ["w.step"] = [7], ["ünïcode \"name\""] = bits, ["empty"] = [], ["large"] = Values(600_000, 1) };
        var state = new JsonObject { ["loss"] = 0.1 + 0.2, ["seed"] = ulong.MaxValue, ["text"] = "a\n\u2028" };

        new CheckpointStore(Folder).Save(new Checkpoint(42, state, arrays));
        Checkpoint found = Load()!;

        Assert.Equal(42, found.Step);
        Assert.Equal(0.1 + 0.2, (double)found.State["loss"]!);
        Assert.Equal(ulong.MaxValue, (ulong)found.State["seed"]!);
        Assert.Equal("a\n\u2028", (string)found.State["text"]!);
        Assert.Equal(arrays.Keys.Order(StringComparer.Ordinal), found.Arrays.Keys.Order(StringComparer.Ordinal));
        Assert.All(arrays, entry => Assert.True(MemoryMarshal.AsBytes<float>(entry.Value).SequenceEqual(MemoryMarshal.AsBytes<float>(found.Arrays[entry.Key])), entry.Key));
    }

    [Fact]
    public void Load_FromNowhere_IsNull() => Assert.Null(Load());

    [Fact]
    public void Save_ForMany_KeepsTwo()
    {
        foreach (int step in new[] { 9, 10, 100, 1000 })
        {
            Save(step);
        }

        Assert.Equal(["step-000000100.safetensors", "step-000001000.safetensors"], Names());
        Assert.Equal(1000, Load()!.Step);
    }

    [Fact]
    public void Load_WithTheNewestDamagedAnywhere_TakesTheOneBefore()
    {
        Save(1);
        Save(2);
        string newest = Path.Combine(Folder, Names()[^1]);
        byte[] whole = File.ReadAllBytes(newest);
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            byte[] damaged = round % 2 == 0 ? whole[..random.Next(whole.Length)] : [.. whole];
            if (round % 2 == 1)
            {
                damaged[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
            }

            File.WriteAllBytes(newest, damaged);
            List<string> messages = [];

            Assert.Equal(1, new CheckpointStore(Folder).Load(messages.Add)!.Step);
            Assert.Contains(newest, Assert.Single(messages), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_WithAllDamaged_SaysWhich()
    {
        Save(1);
        string path = Path.Combine(Folder, Names()[0]);
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);

        string message = Assert.Throws<CheckpointException>(() => Load()).Message;

        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("Delete them to begin the run anew", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AfterAKillWhileWriting_TakesTheLastWhole()
    {
        Save(1);
        File.WriteAllBytes(Path.Combine(Folder, "step-000000002.safetensors.tmp"), [1, 2, 3]);

        Assert.Equal(1, Load()!.Step);
        Save(3);
        Assert.Equal(["step-000000001.safetensors", "step-000000003.safetensors"], Names());
    }

    [Fact]
    public void Save_AfterGoingBack_DropsTheStepsThatWereLeft()
    {
        Save(10);
        Save(20);
        Save(15);

        Assert.Equal(15, Load()!.Step);
        Assert.Equal(["step-000000010.safetensors", "step-000000015.safetensors"], Names());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1_000_000)]
    public void Save_OnAFullDisk_LeavesTheLastAndSaysSo(int room)
    {
        Save(1);
        Save(2);
        var store = new CheckpointStore(Folder) { Wrap = file => new FullDisk(file, room) };

        CheckpointException exception = Assert.Throws<CheckpointException>(() => store.Save(new Checkpoint(3, [], new Dictionary<string, float[]> { ["w"] = Values(600_000, 1) })));

        Assert.Contains("step-000000003.safetensors: the checkpoint cannot be written (No space left.)", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["step-000000001.safetensors", "step-000000002.safetensors"], Names());
        Assert.Equal(2, Load()!.Step);
    }

    [Fact]
    public void Save_WhereAFileStandsInTheWay_SaysSo()
    {
        File.WriteAllText(Folder, "");

        Assert.Throws<CheckpointException>(() => Save(1));
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle())];
    }

    private void Save(int step)
    {
        var arrays = new Dictionary<string, float[]> { ["w"] = Values(50, step), ["v"] = Values(3, step) };
        new CheckpointStore(Folder).Save(new Checkpoint(step, new JsonObject { ["step"] = step }, arrays));
    }

    private Checkpoint? Load() => new CheckpointStore(Folder).Load(_ => { });

    private string[] Names() => [.. Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private sealed class FullDisk(Stream inner, int room) : Stream
    {
        private int _room = room;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            int part = Math.Min(_room, buffer.Length);
            inner.Write(buffer[..part]);
            _room -= part;
            if (part < buffer.Length)
            {
                throw new IOException("No space left.");
            }
        }
    }
}
