using System.Text.Json;
using LoraServe.Compute.Files;

namespace LoraServe.Compute.Tests.Files;

public sealed class JsonMistakeTests
{
    [Theory]
    [InlineData("[\n", "line 2: Expected depth to be zero")]
    [InlineData("[[1],\n x]", "line 2: 'x' is an invalid start of a value")]
    [InlineData("[[1],\n [true]]", "line 2: [1][0] is not what is expected there")]
    [InlineData("{}", "line 1: it is not what is expected there")]
    public void Describe_OfAMistake_CountsLinesFromOneAndNamesNoTypes(string json, string expected)
    {
        string said = JsonMistake.Describe(Assert.ThrowsAny<JsonException>(() => JsonSerializer.Deserialize<int[][]>(json)));

        Assert.StartsWith(expected, said, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", said, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", said, StringComparison.Ordinal);
        Assert.False(said.EndsWith('.'), said);
    }
}
