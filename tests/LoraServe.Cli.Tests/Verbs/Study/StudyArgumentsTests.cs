using LoraServe.Cli.Mistakes;
using LoraServe.Cli.Verbs.Study;
using LoraServe.Studio.Studies;
using LoraServe.Training.Options;

namespace LoraServe.Cli.Tests.Verbs.Study;

public sealed class StudyArgumentsTests
{
    [Theory]
    [InlineData("lora", "lora 8")]
    [InlineData("lora:16", "lora 16")]
    [InlineData("lora+", "loraplus 8")]
    [InlineData("prompt:20", "prompt 20")]
    [InlineData("full", "full")]
    [InlineData("lora+prompt:4", "lora+prompt 4")]
    public void Methods_ReadsNameAndSize(string text, string label) => Assert.Equal(label, Assert.Single(StudyArguments.Methods(text)).Label);

    [Theory]
    [InlineData("lora:x", "expected NAME or NAME:SIZE")]
    [InlineData("lora:0", "expected NAME or NAME:SIZE")]
    [InlineData("full:8", "without a number")]
    [InlineData("lora,lora:8", "more than once")]
    public void Methods_OfAWrongOne_SaysSo(string text, string message) =>
        Assert.Contains(message, Assert.Throws<UsageException>(() => StudyArguments.Methods(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Methods_OfTheUsualOnes_KnowsThemAll() => Assert.Equal(10, StudyArguments.Methods(StudyMethod.Usual).Length);

    [Fact]
    public void Methods_OfAMethodThatIsNotThere_NamesIt() =>
        Assert.Contains("magic", Assert.Throws<TrainingOptionsException>(() => StudyArguments.Methods("magic")).Message, StringComparison.Ordinal);
}
