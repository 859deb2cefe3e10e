using LoraServe.Jobs.Rows;

namespace LoraServe.Jobs.Tests.Rows;

public sealed class RoomPlanTests
{
    [Theory]
    [InlineData("a0None a1None", 4, "a0None")] // the oldest first
    [InlineData("a0Kept a1None", 4, "a1None")] // what nobody names before what is kept to resume
    [InlineData("a0Kept a1None", 7, "a1None a0Kept")]
    [InlineData("a0Needed a1None", 7, null)] // what is needed never
    [InlineData("b0None a1Kept", 4, "b0None")]
    [InlineData("b0Kept a1Kept", 4, "a1Kept")] // what others could go on with never
    [InlineData("b0Kept b1Needed", 4, null)]
    [InlineData("a0None", 1, "")]
    public void For_NoRoom_LetsGoInItsOrder(string stored, long bytes, string? gone)
    {
        // Everything is 3 bytes, and there is room for 9 of which one tenant may have all.
        RoomPlan plan = RoomPlan.For(bytes, TrainingBench.Alice, Rows(stored), most: 9, mostOfOne: 9);

        Assert.Equal(gone, plan.Refusal is null ? string.Join(' ', plan.Gone.Select(Name)) : null);
    }

    [Theory]
    [InlineData("a0None b1None", 1, "")]
    [InlineData("b0None a1None", 3, "a1None")] // over its share, a tenant makes room among its own
    [InlineData("b0None a1Needed", 3, null)]
    public void For_TenantsShareIsFull_LetsGoOfItsOwnAlone(string stored, long bytes, string? gone)
    {
        RoomPlan plan = RoomPlan.For(bytes, TrainingBench.Alice, Rows(stored), most: 100, mostOfOne: 5);

        Assert.Equal(gone, plan.Refusal is null ? string.Join(' ', plan.Gone.Select(Name)) : null);
    }

    private static IEnumerable<(StoredData, DataUse)> Rows(string names) =>
        names.Split(' ').Select(name => (new StoredData(name, name[0] == 'a' ? "alice" : "bob", name, 3, 1, DateTimeOffset.UnixEpoch.AddSeconds(name[1])), Enum.Parse<DataUse>(name[2..])));

    private static string Name((StoredData Data, DataUse Use) entry) => entry.Data.Id;
}
