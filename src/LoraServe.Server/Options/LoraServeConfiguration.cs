using System.Text.Json;
using LoraServe.Compute.Files;
using LoraServe.Jobs.Options;
using LoraServe.Server.Access;
using LoraServe.Serving.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace LoraServe.Server.Options;

/// <summary>All settings of a server: of the configuration's section <c>LoraServe</c>.</summary>
public sealed class LoraServeConfiguration
{
    private const string Section = "LoraServe";

    /// <summary>What the configuration's own reader allows.</summary>
    private static readonly JsonDocumentOptions s_json = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Where it listens.</summary>
    public ServerOptions Server { get; set; } = new();

    /// <summary>Sizes and limits of the engine.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>Who may call.</summary>
    public AccessOptions Access { get; set; } = new();

    /// <summary>Where training jobs are kept, and how many.</summary>
    public TrainingOptions Training { get; set; } = new();

    /// <summary>Reads a JSON file, if one is given, and then environment variables such as <c>LoraServe__Server__Port</c>, which win.</summary>
    /// <exception cref="SettingsException">There is no such file, it is not JSON, or it or the environment names a setting that does not exist or has another type.</exception>
    public static LoraServeConfiguration Read(string? jsonFile)
    {
        var builder = new ConfigurationBuilder();
        if (jsonFile is not null)
        {
            builder.AddJsonStream(new MemoryStream(ReadObject(jsonFile)));
        }

        IConfigurationSection section = builder.AddEnvironmentVariables().Build().GetSection(Section);
        if (SettingsCheck.Mistakes(section, typeof(LoraServeConfiguration)).ToArray() is { Length: > 0 } mistakes)
        {
            throw new SettingsException($"{jsonFile ?? "The environment"}: {string.Join(". ", mistakes)}.");
        }

        var settings = new LoraServeConfiguration();
        section.Bind(settings);
        return settings;
    }

    /// <summary>Checks all sections, before anything is loaded for them.</summary>
    /// <exception cref="OptionsValidationException">Settings are out of range; the message lists all that are.</exception>
    public void Check() => OptionChecks.Check(Server, Access, (nameof(Engine), Engine), (nameof(Training), Training));

    private static byte[] ReadObject(string path)
    {
        try
        {
            byte[] text = File.ReadAllBytes(path);
            using JsonDocument document = JsonDocument.Parse(text, s_json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? text : throw new SettingsException($"{path}: a JSON {document.RootElement.ValueKind}; expected an object with {Section}.");
        }
        catch (JsonException mistake)
        {
            throw new SettingsException($"{path}: not JSON, {JsonMistake.Describe(mistake)}.", mistake);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SettingsException($"{path}: no such file.", missing);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"{path}: cannot be read: {failure.Message}", failure);
        }
    }
}
