using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using LoraServe.Jobs.Records;
using LoraServe.Training;

namespace LoraServe.Jobs.Tests.Records;

public sealed class JobOptionsTests
{
    [Fact]
    public void Of_NothingAsked_IsWhatIsUsual()
    {
        Assert.Equivalent(new TrainingJobOptions(), JobOptions.Of(new JobRequest()), strict: true);
        Assert.Equivalent(new TrainingJobOptions(), JobOptions.Of(new JobRequest { Method = new MethodSettings(), Hyperparameters = new Hyperparameters() }), strict: true);
    }

    [Fact]
    public void Of_EverySetting_ChangesSomething()
    {
        // A setting that nobody reads would go unnoticed.
        object[] parts = [new MethodSettings(), new Hyperparameters(), new RankGrowthSettings(), new RankGateSettings()];
        string[] elsewhere = [nameof(MethodSettings.InitFrom), nameof(MethodSettings.DynamicRank), nameof(MethodSettings.RankGates)];
        foreach (object part in parts)
        {
            string without = Written(part);
            foreach (PropertyInfo setting in part.GetType().GetProperties().Where(property => !elsewhere.Contains(property.Name)))
            {
                object changed = Activator.CreateInstance(part.GetType())!;
                setting.SetValue(changed, Other(setting.PropertyType, setting.GetValue(part)));
                Assert.True(without != Written(changed), setting.Name);
            }
        }
    }

    private static object Other(Type type, object? usual) => (Nullable.GetUnderlyingType(type) ?? type) switch
    {
        var number when number == typeof(int) => 77,
        var number when number == typeof(double) => 0.77,
        var truth when truth == typeof(bool) => true,
        var text when text == typeof(string) => "width",
        { IsEnum: true } choice => Enum.GetValues(choice).Cast<object>().First(value => !value.Equals(usual)),
        var json when json == typeof(JsonObject) => new JsonObject { ["r"] = 3 },
        _ => new[] { "q_proj" },
    };

    private static string Written(object part) => JsonSerializer.Serialize(JobOptions.Of(part switch
    {
        MethodSettings method => new JobRequest { Method = method },
        Hyperparameters how => new JobRequest { Hyperparameters = how },
        RankGrowthSettings growth => new JobRequest { Method = new MethodSettings { DynamicRank = growth } },
        _ => new JobRequest { Method = new MethodSettings { RankGates = (RankGateSettings)part } },
    }));
}
