using LoraServe.Models.Backward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

public sealed class BatchReaderTests(DataFolder folder) : IClassFixture<DataFolder>
{
    private static readonly ExampleOptions s_options = new() { MaximumLength = 100 };

    /// <summary>Lengths in bytes; a text of n has n + 1 tokens.</summary>
    private static readonly int[] s_lengths = [.. Enumerable.Range(0, 53).Select(row => 4 + (row * 37 % 61))];

    private static readonly BatchOptions[] s_choices =
    [
        new() { Rows = 4, Seed = 3 },
        new() { Rows = 4, Shuffles = false },
        new() { Rows = 3, Seed = 3, SortsByLength = true },
        new() { Rows = int.MaxValue, MaximumTokens = 150, Seed = 4 },
        new() { Rows = 5, MaximumTokens = 150, Seed = 4, SortsByLength = true },
        new() { Rows = 5, MaximumTokens = 1, Seed = 4, SortsByLength = true },
        new() { Rows = 1000 },
    ];

    public static TheoryData<int> Choices { get; } = [.. Enumerable.Range(0, s_choices.Length)];

    [Theory]
    [MemberData(nameof(Choices))]
    public void Next_ForAnEpoch_GivesEveryRowOnce(int choice)
    {
        BatchOptions options = s_choices[choice];
        BatchReader<TrainingExample> reader = Reader(options);
        for (int epoch = 0; epoch < 3; epoch++)
        {
            List<string> rows = [];
            while (reader.Cursor.Epoch == epoch)
            {
                IReadOnlyList<TrainingExample> batch = reader.Next();
                Assert.InRange(batch.Count, 1, options.Rows);
                Assert.True(batch.Count == 1 || batch.Sum(example => example.Tokens.Length) <= (options.MaximumTokens ?? int.MaxValue));
                rows.AddRange(batch.Select(Key));
            }

            Assert.Equal(s_lengths.Length, rows.Count);
            Assert.Equal(s_lengths.Length, rows.Distinct().Count());
        }
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void Cursor_OfEveryBatch_ResumesThere(int choice)
    {
        BatchOptions options = s_choices[choice];
        BatchReader<TrainingExample> reader = Reader(options);
        List<(BatchCursor Cursor, string Batch)> batches = [];
        while (reader.Cursor.Epoch < 2)
        {
            BatchCursor cursor = reader.Cursor;
            batches.Add((cursor, string.Join(' ', reader.Next().Select(Key))));
        }

        for (int i = 0; i < batches.Count; i++)
        {
            BatchReader<TrainingExample> resumed = Reader(options, cursor: batches[i].Cursor);
            Assert.All(batches.Skip(i).Take(3), expected => Assert.Equal(expected.Batch, string.Join(' ', resumed.Next().Select(Key))));
        }
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void CountBatches_IsHowManyThereAre(int choice)
    {
        BatchOptions options = s_choices[choice];
        BatchReader<TrainingExample> reader = Reader(options);
        long count = 0;
        while (reader.Cursor.Epoch < 3)
        {
            reader.Next();
            count++;
        }

        Assert.Equal(count, Reader(options).CountBatches(3));
        Assert.Equal(0, Reader(options).CountBatches(0));
    }

    [Fact]
    public void Order_DependsOnSeedAndEpochAlone()
    {
        string First(int seed, int epoch) => string.Join(' ', Reader(new() { Rows = 1000, Seed = seed }, cursor: new BatchCursor(epoch, 0, 0)).Next().Select(Key));

        Assert.Equal(First(1, 0), First(1, 0));
        Assert.NotEqual(First(1, 0), First(2, 0));
        Assert.NotEqual(First(1, 0), First(1, 1));
    }

    [Fact]
    public void Order_WithoutShuffling_IsTheFiles() =>
        Assert.Equal(s_lengths.Select(length => length + 1), Reader(new() { Rows = 1000, Shuffles = false }).Next().Select(example => example.Tokens.Length));

    [Fact]
    public void SortsByLength_PutsAlikeRowsTogether()
    {
        int Spread(bool sorts)
        {
            BatchReader<TrainingExample> reader = Reader(new() { Rows = 5, Seed = 1, SortsByLength = sorts });
            int spread = 0;
            while (reader.Cursor.Epoch == 0)
            {
                int[] lengths = [.. reader.Next().Select(example => example.Tokens.Length)];
                spread += lengths.Max() - lengths.Min();
            }

            return spread;
        }

        Assert.True(Spread(sorts: true) * 3 < Spread(sorts: false));
    }

    [Fact]
    public void Rows_OfASplit_AreTheOnlyOnesRead()
    {
        BatchReader<TrainingExample> reader = Reader(new() { Rows = 1000, Shuffles = false }, rows: [3, 1, 7]);

        Assert.Equal([s_lengths[3] + 1, s_lengths[1] + 1, s_lengths[7] + 1], reader.Next().Select(example => example.Tokens.Length));
        Assert.Equal(new BatchCursor(1, 0, 0), reader.Cursor);
    }

    [Fact]
    public void Rows_WithNothingToLearn_AreAnErrorOrSkipped()
    {
        DataFile file = folder.Open("""
            {"text": "a"}
            {"prompt": "long", "completion": "x"}
            {"text": "b"}
            {"prompt": "long", "completion": "x"}
            """);
        var options = new BatchOptions { Rows = 1, Shuffles = false };

        Assert.Contains("line 2: nothing to learn is left of the row within its first 4 tokens", Refusal(Set(4)), StringComparison.Ordinal);
        Assert.Contains("no row has anything to learn", Refusal(Set(1, skips: true)), StringComparison.Ordinal);
        Assert.Equal(["97 257", "98 257"], ReadEpoch(Set(4, skips: true)));
        Assert.Equal(4, new BatchReader<TrainingExample>(Set(4, skips: true), [0, 1, 2, 3], options).CountBatches(2));

        TrainingSet<TrainingExample> Set(int maximumLength, bool skips = false) =>
            TrainingSets.Completions(file, ByteTokenizer.Rows(), s_options with { MaximumLength = maximumLength, SkipsUnlabelled = skips });

        string Refusal(TrainingSet<TrainingExample> set) => Assert.Throws<TrainingDataException>(() => ReadEpoch(set)).Message;

        List<string> ReadEpoch(TrainingSet<TrainingExample> set)
        {
            List<string> rows = [];
            for (var reader = new BatchReader<TrainingExample>(set, [0, 1, 2, 3], options); reader.Cursor.Epoch == 0;)
            {
                rows.AddRange(reader.Next().Select(Key));
            }

            return rows;
        }
    }

    [Fact]
    public void Preferences_AreCountedTogether()
    {
        DataFile file = folder.Open("""
            {"prompt": "p", "chosen": "cc", "rejected": "r"}
            {"prompt": "p", "chosen": "c", "rejected": "rrr"}
            {"prompt": "p", "chosen": "c", "rejected": "r"}
            """);
        TrainingSet<PreferenceExample> set = TrainingSets.Preferences(file, ByteTokenizer.Rows(), s_options);
        var reader = new BatchReader<PreferenceExample>(set, [0, 1, 2], new BatchOptions { MaximumTokens = 15, Shuffles = false });

        Assert.Equal(4 + 3 + 3 + 5, reader.Next().Sum(set.TokensOf));
        Assert.Equal(3 + 3, reader.Next().Sum(set.TokensOf));
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(0, 53, 0)]
    [InlineData(0, -1, 0)]
    [InlineData(0, 0, 1)]
    [InlineData(0, 0, -1)]
    public void Cursor_OfNoPlace_IsRefused(int epoch, int position, int batch) =>
        Assert.Throws<ArgumentException>(() => Reader(new() { Rows = 4 }, cursor: new BatchCursor(epoch, position, batch)));

    private static string Key(TrainingExample example) => string.Join(' ', example.Tokens);

    private BatchReader<TrainingExample> Reader(BatchOptions options, IReadOnlyList<int>? rows = null, BatchCursor cursor = default) =>
        new(TrainingSets.Completions(folder.OpenTexts(s_lengths), ByteTokenizer.Rows(), s_options), rows ?? [.. Enumerable.Range(0, s_lengths.Length)], options, cursor);
}
