using System.ComponentModel.DataAnnotations;
using LoraServe.Server.Access;
using Microsoft.Extensions.Options;

namespace LoraServe.Server.Options;

/// <summary>Checks settings before anything starts, and reports all that is wrong at once.</summary>
internal static class OptionChecks
{
    /// <exception cref="OptionsValidationException">Something is out of range.</exception>
    public static void Check(ServerOptions server, AccessOptions access)
    {
        var errors = new List<ValidationResult>();
        Validator.TryValidateObject(server, new ValidationContext(server), errors, validateAllProperties: true);
        List<string> messages = [.. errors.Select(error => $"LoraServe:Server: {error.ErrorMessage}"), .. AccessOptionsValidator.Errors(access)];
        if (server.CertificateKeyFile is not null && server.CertificateFile is null)
        {
            messages.Add("LoraServe:Server:CertificateKeyFile is set and CertificateFile is not; a key needs its certificate.");
        }

        if (messages.Count > 0)
        {
            throw new OptionsValidationException("LoraServe", typeof(ServerOptions), messages);
        }
    }
}
