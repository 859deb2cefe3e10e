using LoraServe.Models.Backward;
using LoraServe.Training.Data;

namespace LoraServe.Training.Tests.Data;

public sealed class LongRowsTests(DataFolder folder) : IClassFixture<DataFolder>
{
    private const string Rows = """
        {"prompt": "a", "completion": "b"}
        {"prompt": "a", "completion": "longer"}
        {"prompt": "a long prompt", "completion": "b"}
        {"messages": [{"role": "assistant", "content": "a", "weight": 0}]}
        """;

    [Fact]
    public void Truncate_CutsAndCounts_AndRefusesWhatHasNothingToLearn()
    {
        TrainingSet<TrainingExample> set = Set(LongRows.Truncate);

        Assert.Equal((3, 4), (set.Find(0)!.Tokens.Length, set.Find(1)!.Tokens.Length));
        set.Find(1);
        Assert.Equal((1, 0), (set.CutRows, set.SkippedRows));
        Assert.Contains("line 3: nothing to learn is left", Assert.Throws<TrainingDataException>(() => set.Find(2)).Message, StringComparison.Ordinal);
        Assert.Contains("line 4: nothing to learn is left", Assert.Throws<TrainingDataException>(() => set.Find(3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuse_NamesTheLine()
    {
        TrainingSet<TrainingExample> set = Set(LongRows.Refuse);

        Assert.NotNull(set.Find(0));
        Assert.Contains("line 2: has more than 4 tokens", Assert.Throws<TrainingDataException>(() => set.Find(1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Skip_LeavesThemOutAndCounts()
    {
        TrainingSet<TrainingExample> set = Set(LongRows.Skip);

        Assert.Equal([true, false, false, false], Enumerable.Range(0, 4).Select(row => set.Find(row) is not null));
        Assert.Equal((0, 3), (set.CutRows, set.SkippedRows));
    }

    private TrainingSet<TrainingExample> Set(LongRows longRows) =>
        TrainingSets.Completions(folder.Open(Rows), ByteTokenizer.Rows(), new ExampleOptions { MaximumLength = 4, LongRows = longRows });
}
