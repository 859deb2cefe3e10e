using LoraServe.Server.Metrics;

namespace LoraServe.Server.Tests.Metrics;

public sealed class MetricNamesTests
{
    [Theory]
    [InlineData("app.step.duration", "s", false, "app_step_duration_seconds")]
    [InlineData("app.step.seconds", "s", false, "app_step_seconds")]
    [InlineData("app.memory", "By", false, "app_memory_bytes")]
    [InlineData("app.tokens", "{token}", true, "app_tokens_total")]
    [InlineData("app.share", "1", false, "app_share")]
    [InlineData("app.power", "kW/h", false, "app_power_kW_h")]
    [InlineData("app.plain", null, true, "app_plain_total")]
    [InlineData("1.app-x", null, false, "__app_x")]
    public void Of_NameAndUnit_AreSpelledAsPrometheusDoes(string name, string? unit, bool isCounter, string expected) =>
        Assert.Equal(expected, MetricNames.Of(name, unit, isCounter));

    [Theory]
    [InlineData("adapter", "adapter")]
    [InlineData("cpu.mode", "cpu_mode")]
    [InlineData("2nd", "_nd")]
    public void Identifier_HasOnlyLettersThatPrometheusTakes(string name, string expected) => Assert.Equal(expected, MetricNames.Identifier(name));
}
