using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace LoraServe.Server.Options;

/// <summary>What the setting <c>Host</c> means.</summary>
internal static class ListenAddress
{
    public const string Localhost = "localhost";
    private const string Everywhere = "*";

    /// <summary>Finds the address: an IP address as it is, <c>*</c> for all, another name by asking the system.</summary>
    /// <param name="host">The setting; not <see cref="Localhost"/>, which is two addresses.</param>
    /// <param name="address">The address.</param>
    /// <param name="error">One sentence where there is none.</param>
    public static bool TryResolve(string host, [NotNullWhen(true)] out IPAddress? address, [NotNullWhen(false)] out string? error)
    {
        error = null;
        if (host == Everywhere)
        {
            address = IPAddress.IPv6Any;
            return true;
        }

        if (IPAddress.TryParse(host, out address))
        {
            // "8080" and "1.2" are addresses too to those who remember classes; nobody means them.
            address = address.AddressFamily == AddressFamily.InterNetworkV6 || host.Count(c => c == '.') == 3 ? address : null;
        }
        else
        {
            try
            {
                address = Array.Find(Dns.GetHostAddresses(host), found => found.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6);
            }
            catch (Exception exception) when (exception is SocketException or ArgumentException)
            {
                // Unknown to the system, or no name at all.
            }
        }

        error = address is null ? $"Host is '{host}', which is no IP address and no name that this machine knows. Give an IP address, localhost, or * for all addresses." : null;
        return address is not null;
    }
}
