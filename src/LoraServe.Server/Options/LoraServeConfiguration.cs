using LoraServe.Server.Access;
using LoraServe.Server.Training;
using LoraServe.Serving;
using Microsoft.Extensions.Configuration;

namespace LoraServe.Server.Options;

/// <summary>All settings of a server: of the configuration's section <c>LoraServe</c>.</summary>
public sealed class LoraServeConfiguration
{
    private const string Section = "LoraServe";

    /// <summary>Where it listens.</summary>
    public ServerOptions Server { get; set; } = new();

    /// <summary>Sizes and limits of the engine.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>Who may call.</summary>
    public AccessOptions Access { get; set; } = new();

    /// <summary>Where training jobs are kept, and how many.</summary>
    public TrainingOptions Training { get; set; } = new();

    /// <summary>Reads a JSON file, if one is given, and then environment variables such as <c>LoraServe__Server__Port</c>, which win.</summary>
    /// <exception cref="InvalidDataException">The file is not JSON, or names a setting that does not exist or has another type.</exception>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static LoraServeConfiguration Read(string? jsonFile)
    {
        var builder = new ConfigurationBuilder();
        if (jsonFile is not null)
        {
            builder.AddJsonFile(Path.GetFullPath(jsonFile), optional: false, reloadOnChange: false);
        }

        try
        {
            IConfigurationSection section = builder.AddEnvironmentVariables().Build().GetSection(Section);
            var settings = new LoraServeConfiguration();
            section.Bind(settings, binder => binder.ErrorOnUnknownConfiguration = true);
            return settings;
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or InvalidDataException)
        {
            throw new InvalidDataException($"{jsonFile ?? "The environment"}: {string.Join(' ', Reasons(exception))}", exception);
        }
    }

    /// <summary>The outer message says what failed, the inner ones which setting or line.</summary>
    private static IEnumerable<string> Reasons(Exception exception)
    {
        for (Exception? reason = exception; reason is not null; reason = reason.InnerException)
        {
            yield return reason.Message;
        }
    }
}
