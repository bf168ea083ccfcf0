//! The time zones that Firehose knows: a list of older names, in which India's is Calcutta.
//! <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>, but for two with a hyphen, which the API's own pattern
//! of names refuses.

use jiff::tz::{TimeZone, TimeZoneDatabase};

const UTC: &str = "UTC";

/// By area.
const CITIES: [(&str, &str); 10] = [
    (
        "Africa",
        "Abidjan Accra Addis_Ababa Algiers Asmera Bangui Banjul Bissau Blantyre Bujumbura Cairo Casablanca Conakry Dakar \
         Dar_es_Salaam Djibouti Douala Freetown Gaborone Harare Johannesburg Kampala Khartoum Kigali Kinshasa Lagos \
         Libreville Lome Luanda Lubumbashi Lusaka Malabo Maputo Maseru Mbabane Mogadishu Monrovia Nairobi Ndjamena Niamey \
         Nouakchott Ouagadougou Sao_Tome Timbuktu Tripoli Tunis Windhoek",
    ),
    (
        "America",
        "Adak Anchorage Anguilla Antigua Aruba Asuncion Barbados Belize Bogota Buenos_Aires Caracas Cayenne Cayman Chicago \
         Costa_Rica Cuiaba Curacao Dawson_Creek Denver Dominica Edmonton El_Salvador Fortaleza Godthab Grand_Turk Grenada \
         Guadeloupe Guatemala Guayaquil Guyana Halifax Havana Indianapolis Jamaica La_Paz Lima Los_Angeles Managua Manaus \
         Martinique Mazatlan Mexico_City Miquelon Montevideo Montreal Montserrat Nassau New_York Noronha Panama Paramaribo \
         Phoenix Port_of_Spain Porto_Acre Puerto_Rico Regina Rio_Branco Santiago Santo_Domingo Sao_Paulo Scoresbysund \
         St_Johns St_Kitts St_Lucia St_Thomas St_Vincent Tegucigalpa Thule Tijuana Tortola Vancouver Winnipeg",
    ),
    ("Antarctica", "Casey DumontDUrville Mawson McMurdo Palmer"),
    (
        "Asia",
        "Aden Almaty Amman Anadyr Aqtau Aqtobe Ashgabat Ashkhabad Baghdad Bahrain Baku Bangkok Beirut Bishkek Brunei \
         Calcutta Colombo Dacca Damascus Dhaka Dubai Dushanbe Hong_Kong Irkutsk Jakarta Jayapura Jerusalem Kabul Kamchatka \
         Karachi Katmandu Krasnoyarsk Kuala_Lumpur Kuwait Macao Magadan Manila Muscat Nicosia Novosibirsk Phnom_Penh \
         Pyongyang Qatar Rangoon Riyadh Saigon Seoul Shanghai Singapore Taipei Tashkent Tbilisi Tehran Thimbu Thimphu Tokyo \
         Ujung_Pandang Ulaanbaatar Ulan_Bator Vientiane Vladivostok Yakutsk Yekaterinburg Yerevan",
    ),
    ("Atlantic", "Azores Bermuda Canary Cape_Verde Faeroe Jan_Mayen Reykjavik South_Georgia St_Helena Stanley"),
    ("Australia", "Adelaide Brisbane Broken_Hill Darwin Hobart Lord_Howe Perth Sydney"),
    (
        "Europe",
        "Amsterdam Andorra Athens Belgrade Berlin Brussels Bucharest Budapest Chisinau Copenhagen Dublin Gibraltar Helsinki \
         Istanbul Kaliningrad Kiev Lisbon London Luxembourg Madrid Malta Minsk Monaco Moscow Oslo Paris Prague Riga Rome \
         Samara Simferopol Sofia Stockholm Tallinn Tirane Vaduz Vienna Vilnius Warsaw Zurich",
    ),
    ("Indian", "Antananarivo Chagos Christmas Cocos Comoro Kerguelen Mahe Maldives Mauritius Mayotte Reunion"),
    (
        "Pacific",
        "Apia Auckland Chatham Easter Efate Enderbury Fakaofo Fiji Funafuti Galapagos Gambier Guadalcanal Guam Honolulu \
         Kiritimati Kosrae Majuro Marquesas Nauru Niue Norfolk Noumea Pago_Pago Palau Pitcairn Ponape Port_Moresby Rarotonga \
         Saipan Tahiti Tarawa Tongatapu Truk Wake Wallis",
    ),
    ("", UTC),
];

/// The zone of this name, if Firehose takes it: by this machine's database, or by our own where that lacks old names.
pub fn zone(name: &str) -> Option<TimeZone> {
    let (area, city) = name.split_once('/').unwrap_or(("", name));
    let known = CITIES.iter().any(|(there, cities)| *there == area && cities.split(' ').any(|there| there == city));
    if !known {
        return None;
    }
    TimeZone::get(name).or_else(|_| TimeZoneDatabase::bundled().get(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_list_is_known_and_no_other() {
        for (area, cities) in CITIES {
            for city in cities.split(' ') {
                let name = if area.is_empty() { city.to_owned() } else { format!("{area}/{city}") };
                assert!(zone(&name).is_some(), "{name}");
                assert!(TimeZoneDatabase::bundled().get(&name).is_ok(), "{name} where the machine has no zones");
            }
        }
        for name in ["", "EST", "Asia/Kolkata", "Europe/Kyiv", "Europe", "europe/berlin", "Mars/Phobos", "Etc/UTC"] {
            assert_eq!(zone(name), None, "{name}");
        }
    }
}
