using System.ComponentModel.DataAnnotations;
using LoraServe.Server.Access;
using Microsoft.Extensions.Options;

namespace LoraServe.Server.Options;

/// <summary>Checks settings before anything starts, and reports all that is wrong at once.</summary>
internal static class OptionChecks
{
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(1);

    /// <exception cref="OptionsValidationException">Something is out of range.</exception>
    public static void Check(ServerOptions server, AccessOptions access, params (string Section, object Options)[] others)
    {
        List<string> messages = [.. OutOfRange("Server", server), .. AccessOptionsValidator.Errors(access), .. others.SelectMany(other => OutOfRange(other.Section, other.Options))];
        if (server.Host is { Length: > 0 } host && host != ListenAddress.Localhost && !ListenAddress.TryResolve(host, out _, out string? unknown))
        {
            messages.Add($"LoraServe:Server: {unknown}");
        }

        (string Name, TimeSpan Value)[] durations =
        [
            (nameof(server.DrainTimeout), server.DrainTimeout),
            (nameof(server.MaxStepTime), server.MaxStepTime),
            (nameof(server.MaxUploadPause), server.MaxUploadPause),
        ];
        foreach ((string name, TimeSpan value) in durations)
        {
            if (value < TimeSpan.Zero || value > s_longest)
            {
                messages.Add($"LoraServe:Server:{name} is {value}; it can be nothing to a day.");
            }
        }

        if (server.CertificateKeyFile is not null && server.CertificateFile is null)
        {
            messages.Add("LoraServe:Server:CertificateKeyFile is set and CertificateFile is not; a key needs its certificate.");
        }

        if (messages.Count > 0)
        {
            throw new OptionsValidationException("LoraServe", typeof(ServerOptions), messages);
        }
    }

    private static IEnumerable<string> OutOfRange(string section, object options)
    {
        var errors = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), errors, validateAllProperties: true);
        return errors.Select(error => $"LoraServe:{section}: {error.ErrorMessage}");
    }
}
