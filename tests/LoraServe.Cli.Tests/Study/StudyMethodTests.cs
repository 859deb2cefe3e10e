using LoraServe.Cli.Study;
using LoraServe.Training;

namespace LoraServe.Cli.Tests.Study;

public sealed class StudyMethodTests
{
    [Theory]
    [InlineData("lora", "lora 8")]
    [InlineData("lora:16", "lora 16")]
    [InlineData("lora+", "loraplus 8")]
    [InlineData("prompt:20", "prompt 20")]
    [InlineData("full", "full")]
    [InlineData("lora+prompt:4", "lora+prompt 4")]
    public void ParseAll_ReadsNameAndSize(string text, string label) => Assert.Equal(label, Assert.Single(StudyMethod.ParseAll(text)).Label);

    [Theory]
    [InlineData("lora:x", "expected NAME or NAME:SIZE")]
    [InlineData("lora:0", "expected NAME or NAME:SIZE")]
    [InlineData("full:8", "without a number")]
    [InlineData("lora,lora:8", "more than once")]
    public void ParseAll_OfAWrongOne_SaysSo(string text, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => StudyMethod.ParseAll(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void ParseAll_OfTheUsualOnes_KnowsThemAll() => Assert.Equal(10, StudyMethod.ParseAll(StudyMethod.Usual).Length);

    [Fact]
    public void ParseAll_OfAMethodThatIsNotThere_NamesIt() =>
        Assert.Contains("magic", Assert.Throws<TrainingOptionsException>(() => StudyMethod.ParseAll("magic")).Message, StringComparison.Ordinal);
}
